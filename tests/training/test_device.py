"""The device: which one is chosen, and its memory."""

import ctypes
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bench.errors import UserError
from bench.training import device


def has(monkeypatch: pytest.MonkeyPatch, kind: str | None) -> None:
    """Make torch find an accelerator of this kind, or none."""
    device._say.cache_clear()
    found = torch.device(kind) if kind else None
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: found)


@pytest.mark.parametrize(
    ("name", "there", "expected"),
    [
        ("cpu", "cuda", "cpu"), ("cpu", "mps", "cpu"), ("auto", None, "cpu"), ("auto", "cuda", "cuda"),
        ("cuda", "cuda", "cuda"), ("auto", "mps", "cpu"), ("auto", "xpu", "cpu"), ("mps", "mps", "mps"),
        ("xpu", "xpu", "xpu"),
    ],
)  # fmt: skip
def test_the_device_of_a_setting(
    name: str, there: str | None, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    has(monkeypatch, there)
    assert device.pick_device(name).type == device.pick_device(name).type == expected
    said = capsys.readouterr().err
    untried = there in ("mps", "xpu") and name != "cpu"
    assert said.count("experimental") == said.count("\n") == untried  # once
    if untried and name == "auto":
        assert f"on the CPU; {device.EXPERIMENTAL[there or '']} is there" in said
        assert f"name it ('{there}')" in said


@pytest.mark.parametrize("name", ["cuda", "mps", "xpu"])
@pytest.mark.parametrize("there", ["cuda", "mps", "xpu", None])
def test_an_accelerator_that_is_not_there_is_refused(
    name: str, there: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == there:
        return
    has(monkeypatch, there)
    finds = f"it finds '{there}'" if there else "it finds no accelerator"
    text = f"device is '{name}', but torch finds no {name.upper()} device ({finds}): set device to 'auto' or 'cpu'."
    with pytest.raises(UserError, match=re.escape(text)):
        device.pick_device(name)


@pytest.mark.parametrize(("kind", "expected"), [("cpu", "cpu"), ("cuda", "cuda"), ("mps", "cpu"), ("xpu", "cpu")])
def test_float64_sums_are_kept_where_there_is_float64(kind: str, expected: str) -> None:
    assert device.exact_device(torch.device(kind)).type == expected


def test_random_numbers_of_the_cpu_and_of_the_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    states = [torch.tensor([7], dtype=torch.uint8)]
    module = SimpleNamespace(get_rng_state=lambda: states[-1], set_rng_state=states.append)
    monkeypatch.setattr(torch, "get_device_module", lambda device: module)
    saved = device.random_state(torch.device("mps"))
    assert saved.keys() == {"cpu", "mps"}
    expected = torch.rand(3)
    device.restore_random_state(saved, torch.device("mps"))
    assert torch.equal(torch.rand(3), expected)
    assert states[1:] == [saved["mps"]]
    device.restore_random_state({"cpu": saved["cpu"]}, torch.device("mps"))  # a checkpoint made on a CPU
    assert len(states) == 2
    assert device.random_state(torch.device("cpu")).keys() == {"cpu"}


def test_an_accelerator_is_waited_for_and_a_cpu_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda: calls.append("waited"))
    device.wait_for(torch.device("cpu"))
    assert not calls
    device.wait_for(torch.device("mps"))
    assert calls == ["waited"]


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
