"""`bench sweep --engine slurm` on a real Slurm: one node with two fake GPUs, started for these tests."""

import importlib.util
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench.sweep import cells, ledger, slurm
from bench.sweep.cells import Cell

_spec = importlib.util.spec_from_file_location("slurm_node", Path(__file__).with_name("slurm_node.py"))
assert _spec is not None
assert _spec.loader is not None
slurm_node = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(slurm_node)

pytestmark = [pytest.mark.slurm, pytest.mark.skipif(bool(slurm_node.missing()), reason=slurm_node.missing())]

SLURM = {"time_minutes": 30, "gres": "gpu:1", "cpus": 1, "memory_gb": None, "max_parallel": 2, "cells_per_job": 2}
"""Two sweeps at once submit six jobs: more than MaxArraySize of the node."""


@pytest.fixture(scope="module")
def node() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name) / "slurm"
        try:
            for key, value in slurm_node.start(folder).items():
                patch.setenv(key, value)
            yield folder
        finally:
            slurm_node.stop(folder)


@pytest.fixture(autouse=True)
def _empty_queue(node: Path, lab: ModuleType) -> Iterator[None]:
    yield
    subprocess.run(["scancel", "--user=root"], check=True)
    lab.wait_for(lambda: not _queue(), 240)


def _queue(column: str = "%i") -> list[str]:
    """Return a column of squeue (default: the jobs' numbers)."""
    done = subprocess.run(["squeue", "--noheader", "--array", f"--format={column}"], capture_output=True, text=True)
    return done.stdout.split()


def _states(folder: Path, number: int) -> dict[str, str]:
    """Return how the attempts of a number ended."""
    return {p.parent.name: json.loads(p.read_text())["state"] for p in folder.glob(f".sweep/*/{number:03}.end")}


def test_twelve_cells_of_which_two_fail_by_two_sweeps_at_once(node: Path, tmp_path: Path, lab: ModuleType) -> None:
    models = ["unet", "fpn", "linknet", "pspnet", "deeplabv3plus", "pan"]  # PAN cannot do 64 px
    folder = lab.make_workspace(tmp_path / "ws", models=models, sweep={"slurm": SLURM})

    both = [lab.start(folder, "--engine", "slurm") for _ in range(2)]
    said = [process.communicate(timeout=300) for process in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert sum(int(out.partition(" cells submitted")[0]) for out, _ in said) == 12

    lab.wait_for(lambda: len(_states(folder, 1)) == 12, 400)

    status, text = lab.sweep(folder, "--collect")
    assert status == 0, text
    assert " cells recorded. " in text
    assert "10 of 12 cells are up to date, 2 failed." in text
    assert ".sweep/train@cfd-pan-0/001.log" in text
    assert set(lab.attempts(folder).values()) == {1}
    assert {c.name for c in cells.stale(folder, "train")[0]} == {"train@cfd-pan-0", "train@gaps-pan-0"}


def test_nothing_is_submitted_twice_while_the_scheduler_is_down(
    node: Path, long_workspace: Path, lab: ModuleType
) -> None:
    options = ("--engine", "slurm", "--gres", "gpu:1", "cfd/unet/0")
    assert lab.sweep(long_workspace, *options)[0] == 0
    log = long_workspace / ".sweep" / "train@cfd-unet-0" / "001.log"
    lab.wait_for(lambda: log.exists() and "epoch=" in log.read_text(), 200)
    slurm_node.wait_until_saved(node, _queue("%A")[0])
    slurm_node.kill_daemon(node, "slurmctld")
    status, text = lab.sweep(long_workspace, *options)  # nobody knows what runs
    assert status == 0, text
    assert text.startswith("0 cells submitted")
    slurm_node.start_daemon(node, "slurmctld")
    lab.wait_for(_queue, 60)
    assert "1 running" in lab.sweep(long_workspace, "--status")[1]
    assert lab.attempts(long_workspace) == {"train@cfd-unet-0": 1}


def test_after_scancel_the_next_sweep_resumes(node: Path, long_workspace: Path, lab: ModuleType) -> None:
    options = ("--engine", "slurm", "--gres", "gpu:1", "--cells-per-job", "1")
    assert lab.sweep(long_workspace, *options)[0] == 0
    lab.wait_for(lambda: lab.training(long_workspace), 200)
    assert "2 running" in lab.sweep(long_workspace, "--status")[1]

    subprocess.run(["scancel", "--user=root"], check=True)
    lab.wait_for(lambda: not _queue(), 240)
    assert set(_states(long_workspace, 1).values()) == {"interrupted"}
    assert lab.sweep(long_workspace, *options)[1].startswith("2 cells submitted")
    lab.wait_for(
        lambda: len([p for p in long_workspace.glob(".sweep/*/002.log") if "epoch=" in p.read_text()]) == 2, 200
    )
    assert all("resuming from" in p.read_text() for p in long_workspace.glob(".sweep/*/002.log"))


def test_after_scancel_the_result_has_the_same_bits(node: Path, tmp_path: Path, lab: ModuleType) -> None:
    train = lab.SETTINGS["train"] | {"epochs": 30, "stop_patience": 30}
    folders = [lab.make_workspace(tmp_path / n, datasets=["cfd"], models=["unet"], train=train) for n in ("a", "b")]
    options = ("--engine", "slurm", "--gres", "gpu:1")
    for folder in folders:
        assert lab.sweep(folder, *options)[0] == 0
    stopped, whole = folders
    log = stopped / ".sweep" / "train@cfd-unet-0" / "001.log"
    lab.wait_for(lambda: log.exists() and "epoch=" in log.read_text(), 200)
    job = (log.parent / "001.job").read_text()
    subprocess.run(["scancel", job], check=True)
    lab.wait_for(lambda: _states(stopped, 1) and job not in _queue(), 240)
    assert set(_states(stopped, 1).values()) == {"interrupted"}
    assert lab.sweep(stopped, *options)[0] == 0
    lab.wait_for(lambda: _states(stopped, 2) and _states(whole, 1), 400)
    assert "resuming from" in (log.parent / "002.log").read_text()
    for name in ("weights.safetensors", "history.csv"):
        run = "runs/cfd/unet/0"
        assert (stopped / run / name).read_bytes() == (whole / run / name).read_bytes(), name
    lab.wait_for(lambda: not _queue(), 60)  # each job records its cell with DVC
    assert all(cells.stale(folder, "train")[0] == [] for folder in folders)


def test_a_requeued_job_waits_for_what_it_started_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = ledger.claim(ledger.last(tmp_path, "train@a"), "f")
    assert attempt
    ledger.mark_child(attempt)  # this process: it lives
    chunk = [(Cell("train@a", (), None, tmp_path, "f"), attempt)]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            ledger.end(attempt, "interrupted", "stopped", 1.0)

    monkeypatch.setattr(slurm.time, "sleep", sleep)
    assert not slurm._is_due(attempt)
    slurm._wait_for_former(chunk)
    assert len(slept) == 3
    assert slurm._is_due(attempt)
    assert ledger.ended(attempt) is None  # it runs again


def test_a_requeued_job_resumes(node: Path, long_workspace: Path, lab: ModuleType) -> None:
    assert lab.sweep(long_workspace, "--engine", "slurm", "--gres", "gpu:1", "cfd/unet/0")[0] == 0
    log = long_workspace / ".sweep" / "train@cfd-unet-0" / "001.log"
    lab.wait_for(lambda: log.exists() and "epoch=" in log.read_text(), 200)

    subprocess.run(["scontrol", "requeue", *_queue()], check=True)
    lab.wait_for(lambda: "resuming from" in log.read_text(), 200)
    assert lab.attempts(long_workspace) == {"train@cfd-unet-0": 1}
