"""The device: which one is chosen, and its memory."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.errors import UserError
from bench.training import device


@pytest.mark.parametrize(
    ("name", "there", "expected"),
    [("cpu", True, "cpu"), ("auto", False, "cpu"), ("auto", True, "cuda"), ("cuda", True, "cuda")],
)
def test_the_device_of_a_setting(name: str, there: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert device.pick_device(name).type == expected


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        UserError, match="device is 'cuda', but torch finds no CUDA device: set device to 'auto' or 'cpu'"
    ):
        device.pick_device("cuda")


def test_memory_is_what_the_system_says_in_mebibytes() -> None:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("the system has no /proc to compare with")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    peak_kib = int(lines["VmHWM"].split()[0])
    assert device.peak_memory_mb(torch.device("cpu")) == pytest.approx(peak_kib / 1024, rel=0.02)


def test_macos_counts_memory_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.sys, "platform", "darwin")
    monkeypatch.setattr(device.resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=3 * 2**20))
    assert device.peak_memory_mb(torch.device("cpu")) == 3


FREED = """
import resource, sys
from bench.training import device
import torch

if sys.argv[1] == "kept":
    device.keep_freed_memory()
for _ in range(20):
    torch.ones(16 * 2**20)  # 64 MiB, larger than what the C library keeps by itself
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(16 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not GNU's")
def test_memory_that_is_freed_is_not_cleared_by_the_system_again() -> None:
    def faults(how: str) -> int:
        process = subprocess.run([sys.executable, "-c", FREED, how], capture_output=True, text=True, check=True)
        return int(process.stdout)

    assert faults("kept") < 100 < faults("given back")


def test_a_system_without_the_gnu_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    device.keep_freed_memory()
