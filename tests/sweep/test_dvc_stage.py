"""Trainings that a real `dvc repro` runs, forked from one process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from bench.settings import load_params
from tests.fixtures.dvc_project import ROOT, environment, needs_pidfd, repro, wait_for

GRID = """stages:
  train:
    matrix: {seed: [0, 1]}
    cmd: bench train prepared runs/cfd/tiny/${item.seed} --model tiny --seed ${item.seed}
    deps: [prepared]
    outs: ["runs/cfd/tiny/${item.seed}"]
  edit:
    cmd: touch CODE/bench/errors.py && touch edited
    deps: ["runs/cfd/tiny/1"]
    outs: [edited]
  again:
    cmd: bench train prepared runs/cfd/tiny/2 --model tiny
    deps: [edited]
    outs: [runs/cfd/tiny/2]
"""


def command_line(process: psutil.Process) -> list[str]:
    """Return the words of a process's command; none if it has ended."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def shorten(project: Path) -> None:
    """Let the training end after one epoch."""
    params = load_params(project / "params.yaml")
    params["train"]["epochs"] = 1
    (project / "params.yaml").write_text(yaml.safe_dump(params))


@needs_pidfd
def test_cells_of_one_repro_are_forked_from_one_process_unless_the_code_changed_and_it_ends_with_dvc(
    endless_project: Path, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "bench", code / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    (endless_project / "dvc.yaml").write_text(GRID.replace("CODE", str(code)))
    shorten(endless_project)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=endless_project, env=environment(code), capture_output=True, text=True, check=True,
    )  # fmt: skip
    parents = [int(line) for line in (endless_project / "parents").read_text().split()]
    assert len(parents) == 3
    assert parents[0] == parents[1] != parents[2]
    assert done.stderr.count("epoch=1") >= 3, "each shows its progress"
    with suppress(psutil.NoSuchProcess):
        wait_for(psutil.Process(parents[0]))
    run = [(endless_project / "runs" / "cfd" / "tiny" / seed / "weights.safetensors").read_bytes() for seed in "012"]
    assert run[0] == run[2] != run[1]


@needs_pidfd
def test_a_command_in_other_surroundings_runs_as_usual(endless_project: Path) -> None:
    train = "bench train prepared runs/cfd/tiny/{0} --model tiny --seed {0}"
    stage = {"cmd": f"{train.format(0)} && umask 077 && {train.format(1)}", "outs": ["runs/cfd/tiny"]}
    (endless_project / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
    shorten(endless_project)
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro"], cwd=endless_project, env=environment(), capture_output=True, check=True
    )
    first, second = (endless_project / "parents").read_text().split()
    assert first != second
    run = endless_project / "runs" / "cfd" / "tiny" / "1"
    assert run.stat().st_mode & 0o077 == 0


@needs_pidfd
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_command_stopped_while_libraries_are_imported_begins_no_training(
    endless_project: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "dvc", "repro"]
    with subprocess.Popen(
        command, cwd=endless_project, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as dvc:  # fmt: skip
        found: list[psutil.Process] = []
        while not found:
            assert dvc.poll() is None
            found = [p for p in psutil.process_iter() if f", {dvc.pid}, run_command)" in " ".join(command_line(p))]
        os.killpg(dvc.pid, number)
        assert dvc.wait(60) != 0
    wait_for(found[0])
    assert not (endless_project / "parents").exists()


@needs_pidfd
def test_a_cell_that_fails_in_a_forked_process_fails_the_stage_with_its_message(endless_project: Path) -> None:
    tiny = endless_project / "mine" / "models" / "tiny.py"
    tiny.write_text(tiny.read_text().replace("    from torch import nn", "    raise ValueError('no such layer')"))
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=endless_project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 255
    assert "no such layer" in done.stderr


@needs_pidfd
@pytest.mark.slow
@pytest.mark.parametrize("ended", ["all of them, by Ctrl-C", "the command", "the process that forks"])
def test_a_training_stops_with_the_processes_that_stand_for_it(
    endless_project: Path, dvc_processes: list[psutil.Process], ended: str
) -> None:
    dvc, training = repro(endless_project)
    parent = training.parent()
    assert parent is not None
    assert "dvc_stage" in " ".join(parent.cmdline())
    dvc_processes += [psutil.Process(dvc.pid), training, parent]
    if ended == "the command":
        next(p for p in psutil.Process(dvc.pid).children(recursive=True) if "train" in p.cmdline()[-6:]).kill()
    elif ended == "the process that forks":
        parent.kill()
    else:
        os.killpg(dvc.pid, signal.SIGINT)
    wait_for(training)
    assert dvc.wait(60) != 0
    if parent.is_running():
        wait_for(parent)
    assert (
        f"stopped by SIG{'INT' if 'Ctrl-C' in ended else 'TERM'}: the next run resumes"
        in (endless_project / "repro.log").read_text()
    )


@needs_pidfd
@pytest.mark.slow
def test_ctrl_z_pauses_the_training_too(endless_project: Path, dvc_processes: list[psutil.Process]) -> None:
    dvc, training = repro(endless_project)
    parent = training.parent()
    assert parent is not None
    dvc_processes += [psutil.Process(dvc.pid), training, parent]
    command = next(p for p in psutil.Process(dvc.pid).children(recursive=True) if "train" in p.cmdline()[-6:])
    for number, states in ((signal.SIGTSTP, {"stopped"}), (signal.SIGCONT, {"running", "sleeping", "disk-sleep"})):
        command.send_signal(number)
        for process in (command, training):
            while process.status() not in states:
                time.sleep(0.05)
    dvc.kill()
    dvc.wait()
    wait_for(training)
