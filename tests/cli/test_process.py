"""Two trainings on one target, and trainings whose DVC was killed: real processes, a real `dvc repro`."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml

from bench.formats import prepared
from bench.formats.lock import exclusive
from bench.settings import load_params

ROOT = Path(__file__).parents[2]
NETWORK = '''"""A tiny network."""

NAME = "Tiny"


def build(channels, classes, image_size, encoder, weights):
    """Return the network."""
    from torch import nn

    return nn.Conv2d(channels, classes, 3, padding=1)
'''
STAGE = """stages:
  train:
    cmd: bench train prepared runs/cfd/tiny/0 --model tiny && true
    deps: [prepared]
    outs: [runs/cfd/tiny/0]
"""
ENDLESS = 10**9
LOCK = Path("runs", "cfd", "tiny", ".0.lock")
needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd_open")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with one cell, whose training does not end by itself."""
    generator = np.random.default_rng(0)
    items = pd.DataFrame({"item": [f"i{n}" for n in range(6)], "split": ["train"] * 4 + ["test"] * 2})
    items["file"] = items["photo"] = items["item"]
    card = {"dataset": "cfd", "classes": 1, "settings": {"image_size": 32}, "origin": {"source": "sample"}}
    pairs = (
        (generator.integers(0, 255, (32, 32, 3), dtype=np.uint8), np.eye(32, dtype=np.uint8), (32, 32))
        for _ in items["item"]
    )
    prepared.write(tmp_path / "prepared", items, card, pairs)
    params = load_params(ROOT / "params.yaml")
    params["train"] |= {"epochs": ENDLESS, "stop_patience": ENDLESS, "batch": 2, "threads": 1, "workers": 0}
    params["train"] |= {"weights": None, "device": "cpu"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params | {"plugins": "mine"}))
    (tmp_path / "mine" / "models").mkdir(parents=True)
    (tmp_path / "mine" / "models" / "tiny.py").write_text(NETWORK)
    (tmp_path / "dvc.yaml").write_text(STAGE)
    (tmp_path / ".dvcignore").write_text((ROOT / ".dvcignore").read_text())
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def started() -> Iterator[list[psutil.Process]]:
    """Yield the list of processes that are killed after the test, with all that they started."""
    processes: list[psutil.Process] = []
    yield processes
    for process in processes:
        if process.is_running():
            for child in process.children(recursive=True):
                child.kill()
            process.kill()


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "SHELL": "/bin/sh"}


def repro(project: Path) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """Start `dvc repro`; return it and the training, once that counts its images."""
    log = project / "repro.log"
    command = [sys.executable, "-m", "dvc", "repro"]
    with log.open("wb") as file:
        dvc = subprocess.Popen(command, cwd=project, env=environment(), stdout=file, stderr=file)
    while b"image/s" not in log.read_bytes():
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"dvc ended with {dvc.wait(0.2)}: {log.read_text()}")
    return dvc, psutil.Process(int((project / LOCK).read_text().split()[1]))


def wait_for(process: psutil.Process) -> None:
    """Wait until a process that is no child of this one has ended."""
    poll = select.poll()
    poll.register(os.pidfd_open(process.pid), select.POLLIN)
    assert poll.poll(120_000), f"{process} lives on"


@needs_pidfd
def test_dvc_that_is_killed_leaves_no_training_and_none_begins_beside_one(
    project: Path, started: list[psutil.Process]
) -> None:
    dvc, training = repro(project)
    started += [psutil.Process(dvc.pid), training]
    assert training.ppid() != dvc.pid, "the shell between them is what makes it hard"
    second = subprocess.run(
        ["bench", "train", "prepared", "runs/cfd/tiny/0", "--model", "tiny"],
        cwd=project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: {project}/runs/cfd/tiny/0: process {training.pid} on ")
    assert len(second.stderr.splitlines()) == 1
    assert training.is_running()
    dvc.send_signal(signal.SIGKILL)
    dvc.wait()
    wait_for(training)
    with exclusive(project / "runs" / "cfd" / "tiny" / "0"):
        pass
    assert "stopped by SIGTERM: the next run resumes" in (project / "repro.log").read_text()
