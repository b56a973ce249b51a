"""A workspace with the prepared sample, and `bench sweep` run in it as a user would."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from bench.tools import workspace

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "datasets": ["cfd", "gaps"],
    "models": ["unet", "fpn"],
    "download": {"source": "sample", "sample": {"images": 6, "size": 64, "seed": 0}},
    "prepare": {"image_size": 64, "mask_threshold": 127},
    "train": {"encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 4, "threads": 1},
    "sweep": {"jobs": 2, "slurm": {"gres": None, "cpus": 1, "memory_gb": None, "max_parallel": 2}},
}

PREPARED: dict[str, Path] = {}
STARTED: list[subprocess.Popen[str]] = []


def make_workspace(folder: Path, **changes: object) -> Path:
    """Return a workspace with its data prepared."""
    if not PREPARED.get("folder"):
        PREPARED["folder"] = Path(tempfile.mkdtemp())
        workspace.create_workspace(ROOT, PREPARED["folder"], SETTINGS)
        workspace.dvc(PREPARED["folder"], "repro", "--quiet", "prepare")
    shutil.copytree(PREPARED["folder"], folder, symlinks=True)
    workspace.create_workspace(ROOT, folder, SETTINGS | changes)
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `bench sweep` in a workspace."""
    command = [sys.executable, "-m", "bench", "--params", str(folder / "params.yaml"), "sweep", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    STARTED.append(process)
    return process


def sweep(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `bench sweep` to its end; return its exit status and all that it printed."""
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


def attempts(folder: Path) -> dict[str, int]:
    """Return how often each cell was tried."""
    return {p.name: len(list(p.glob("*.claim"))) for p in sorted((folder / ".sweep").glob("*@*"))}


def wait_for(condition: Callable[[], object], seconds: float = 240) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def all_gone(processes: list[psutil.Process], seconds: float = 120) -> bool:
    """Return whether processes end in time."""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def training(folder: Path) -> bool:
    """Return whether two cells are past their first epoch."""
    return sum("epoch=" in log.read_text() for log in (folder / ".sweep").glob("*/*.log")) >= 2


def make_long_workspace(folder: Path) -> Path:
    """Return a workspace with two cells that take minutes."""
    long = SETTINGS["train"] | {"epochs": 100_000, "stop_patience": 100_000}  # type: ignore[operator]
    return make_workspace(folder, train=long, datasets=["cfd"])


@pytest.fixture(scope="session", autouse=True)
def _clean() -> Iterator[None]:
    yield
    if PREPARED:
        shutil.rmtree(PREPARED["folder"])


@pytest.fixture
def lab() -> Iterator[ModuleType]:
    """Yield this module: what a test of sweeps needs; then end what it started."""
    yield sys.modules[__name__]
    while STARTED:
        with STARTED.pop() as process:  # closes the pipes
            process.kill()


@pytest.fixture
def long_workspace(tmp_path: Path) -> Path:
    return make_long_workspace(tmp_path / "ws")
