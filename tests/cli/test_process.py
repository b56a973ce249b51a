"""Two trainings on one target, and trainings whose DVC was killed: real processes, a real `dvc repro`."""

import signal
import subprocess
from pathlib import Path

import psutil

from bench.formats.lock import exclusive
from tests.fixtures.dvc_project import environment, needs_pidfd, repro, wait_for


@needs_pidfd
def test_dvc_that_is_killed_leaves_no_training_and_none_begins_beside_one(
    endless_project: Path, dvc_processes: list[psutil.Process]
) -> None:
    dvc, training = repro(endless_project)
    dvc_processes += [psutil.Process(dvc.pid), training]
    second = subprocess.run(
        ["bench", "train", "prepared", "runs/cfd/tiny/0", "--model", "tiny"],
        cwd=endless_project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: {endless_project}/runs/cfd/tiny/0: process {training.pid} on ")
    assert len(second.stderr.splitlines()) == 1
    assert training.is_running()
    dvc.send_signal(signal.SIGKILL)
    dvc.wait()
    wait_for(training)
    with exclusive(endless_project / "runs" / "cfd" / "tiny" / "0"):
        pass
    assert "stopped by SIGTERM: the next run resumes" in (endless_project / "repro.log").read_text()
