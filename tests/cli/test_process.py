"""Trainings that DVC runs, forked from one process; two on one target; DVC killed: a real `dvc repro`."""

import os
import select
import shutil
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
NETWORK = '''"""A tiny network that writes down whose child trains it."""

import os
from pathlib import Path

NAME = "Tiny"


def build(channels, classes, image_size, encoder, weights):
    """Return the network."""
    from torch import nn

    with Path("parents").open("a") as file:
        file.write(f"{os.getppid()}\\n")
    return nn.Conv2d(channels, classes, 3, padding=1)
'''
STAGE = """stages:
  train:
    cmd: bench train prepared runs/cfd/tiny/0 --model tiny && true
    deps: [prepared]
    outs: [runs/cfd/tiny/0]
"""
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


def environment(code: Path = ROOT) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(code), "SHELL": "/bin/sh"}


def repro(project: Path) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """Start `dvc repro`; return it and the training, once that counts its images."""
    log = project / "repro.log"
    command = [sys.executable, "-m", "dvc", "repro"]
    with log.open("wb") as file:
        dvc = subprocess.Popen(
            command, cwd=project, env=environment(), stdout=file, stderr=file, start_new_session=True
        )
    while b"image/s" not in log.read_bytes():
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"dvc ended with {dvc.wait(0.2)}: {log.read_text()}")
    return dvc, psutil.Process(int((project / LOCK).read_text().split()[1]))


def shorten(project: Path) -> None:
    """Let the training end after one epoch."""
    params = load_params(project / "params.yaml")
    params["train"]["epochs"] = 1
    (project / "params.yaml").write_text(yaml.safe_dump(params))


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


@needs_pidfd
def test_cells_of_one_repro_are_forked_from_one_process_unless_the_code_changed_and_it_ends_with_dvc(
    project: Path, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "bench", code / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "dvc.yaml").write_text(GRID.replace("CODE", str(code)))
    shorten(project)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=project, env=environment(code), capture_output=True, text=True, check=True,
    )  # fmt: skip
    parents = [int(line) for line in (project / "parents").read_text().split()]
    assert len(parents) == 3
    assert parents[0] == parents[1] != parents[2]
    assert done.stderr.count("epoch=1") >= 3, "each shows its progress"
    with suppress(psutil.NoSuchProcess):
        wait_for(psutil.Process(parents[0]))
    run = [(project / "runs" / "cfd" / "tiny" / seed / "weights.safetensors").read_bytes() for seed in "012"]
    assert run[0] == run[2] != run[1]


@needs_pidfd
def test_a_cell_that_fails_in_a_forked_process_fails_the_stage_with_its_message(project: Path) -> None:
    tiny = project / "mine" / "models" / "tiny.py"
    tiny.write_text(tiny.read_text().replace("    from torch import nn", "    raise ValueError('no such layer')"))
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 255
    assert "no such layer" in done.stderr


@needs_pidfd
@pytest.mark.slow
@pytest.mark.parametrize("ended", ["all of them, by Ctrl-C", "the command", "the process that forks"])
def test_a_training_stops_with_the_processes_that_stand_for_it(
    project: Path, started: list[psutil.Process], ended: str
) -> None:
    dvc, training = repro(project)
    parent = training.parent()
    assert parent is not None
    assert "dvc_stage" in " ".join(parent.cmdline())
    started += [psutil.Process(dvc.pid), training, parent]
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
        in (project / "repro.log").read_text()
    )
