"""Slots: how GPUs and cores are shared out, and that a cell sees the one GPU of its slot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import machine
from bench.errors import UserError
from bench.sweep import slots
from bench.sweep.slots import Slot

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    return 16


@pytest.mark.usefixtures("cores")
def test_gpus_are_filled_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5f")
    assert slots.slots(None, 1) == [Slot("3", 8), Slot("GPU-5f", 8)]
    assert slots.slots(3, 2) == [Slot("3", 5, 0.5), Slot("GPU-5f", 5, 0.5), Slot("3", 5, 0.5)]
    with pytest.raises(UserError, match="5 jobs do not fit on 2 GPUs with 2 per GPU: raise --per-gpu or lower --jobs"):
        slots.slots(5, 2)


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(("memory_gb", "jobs", "expected"), [(33, None, [4] * 4), (33, 2, [8, 8]), (4, None, [16])])
def test_without_gpus_cores_and_memory_decide(
    monkeypatch: pytest.MonkeyPatch, memory_gb: int, jobs: int | None, expected: list[int]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setattr(machine, "memory_bytes", lambda: memory_gb * 2**30)
    assert slots.slots(jobs, 1) == [Slot(None, threads) for threads in expected]


def test_the_gpus_are_those_that_nvidia_smi_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: GPU-1)'\necho 'GPU 1: NVIDIA H100 (UUID: GPU-2)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert slots.gpus() == ["0", "1"]
    program.write_text("#!/bin/sh\necho 'no driver' >&2\nexit 9\n")
    assert slots.gpus() == []


SCRIPT = """
import os, sys
from pathlib import Path
from bench.sweep import ledger, worker
from bench.sweep.cells import Cell
from bench.sweep.slots import Slot

def main(arguments):
    import torch
    print(os.environ["CUDA_VISIBLE_DEVICES"], torch.get_num_threads())
    Path("runs").mkdir(exist_ok=True)
    Path("runs/a").touch()

root = Path(sys.argv[1])
cell = Cell("train@a", (), None, Path("runs/a"), "f")
attempt = ledger.claim(ledger.last(root / ".sweep", cell.name), cell.fingerprint)
worker.run_cell(root, cell, attempt, Slot("1", 1, 0.5), main)
"""


def test_a_cell_sees_its_gpu_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "0,1,2"})
    assert (tmp_path / ".sweep" / "train@a" / "001.log").read_text() == "1 1\n"
