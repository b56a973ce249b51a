"""What a process may use: cores where the system cannot say, memory in a container."""

import os
from pathlib import Path

import psutil
import pytest

from bench import machine


def test_cores_are_those_of_the_process_or_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3}, raising=False)
    assert machine.cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1


@pytest.mark.parametrize(
    ("limits", "expected_gb"),
    [([], 64), (["max\n"], 64), (["8589934592\n"], 8), (["9223372036854771712\n"], 64), (["max", "4294967296"], 4)],
)
def test_memory_is_the_machines_or_the_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: list[str], expected_gb: int
) -> None:
    memory = psutil.virtual_memory()._replace(total=64 * 2**30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    paths = [tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"]
    monkeypatch.setattr(machine, "LIMITS", paths)
    for path, text in zip(paths, limits, strict=False):
        path.write_text(text)
    assert machine.memory_bytes() == expected_gb * 2**30
