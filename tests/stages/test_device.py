"""What the machine is, and what the code is."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import bench
from bench import plugins
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


def test_the_hardware_has_a_name_and_numbers() -> None:
    facts = device.describe_hardware(torch.device("cpu"))
    assert facts["processor"].strip()
    assert facts["cores"] >= 1
    assert facts["threads"] == torch.get_num_threads()
    assert device.device_name(torch.device("cpu")) == facts["processor"]


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


def test_versions_are_those_installed() -> None:
    found = device.versions()
    assert set(found) == {"python", *device.LIBRARIES}
    assert torch.__version__.startswith(found["torch"].partition("+")[0])


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_and_whether_the_code_was_changed_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bench"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(device, "bench", SimpleNamespace(__file__=str(package / "__init__.py")))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert device.commit() == {"commit": None, "dirty": None}
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("not code")
    assert device.commit() == {"commit": head, "dirty": False}
    (package / "__init__.py").write_text("x = 1")
    assert device.commit() == {"commit": head, "dirty": True}


DECIDES = ["training/loss.py", "models/smp.py", "models/unet.py", "stages/train.py", "training/loop.py"]
DECIDES += ["training/state.py", "training/loader.py"]
DECIDES += ["training/settings.py", "training/augment.py", "training/augment_device.py", "training/order.py"]
DECIDES += ["training/precision.py", "training/predict.py"]
DECIDES_NOT = ["models/pan.py", "stages/report.py", "render/text.py", "data/sources.py", "data/split.py"]


def test_the_program_is_the_code_that_decides_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bench"
    for name in DECIDES + DECIDES_NOT:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    monkeypatch.setattr(device, "bench", SimpleNamespace(__file__=str(package / "__init__.py")))
    models = package / "models"
    monkeypatch.setattr(plugins, "load", lambda kind, name: SimpleNamespace(__file__=str(models / f"{name}.py")))
    first = device.program("unet")
    assert len(first) == 12
    assert device.program("pan") != first
    for name in DECIDES + DECIDES_NOT:
        (package / name).write_text("changed")
        assert (device.program("unet") != first) is (name in DECIDES), name
        (package / name).write_text(name)
    assert device.program("unet") == first


def test_the_real_package_has_a_program() -> None:
    assert Path(bench.__file__).parent.name == "bench"
    assert device.program("unet") != device.program("unetplusplus")


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
