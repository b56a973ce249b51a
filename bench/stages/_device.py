"""What this machine is: the device to compute on, its name, its memory, the versions of the libraries, the code."""

import ctypes
import hashlib
import os
import platform
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import bench
from bench import plugins
from bench.errors import UserError

LIBRARIES = ("crackbench", "torch", "segmentation-models-pytorch", "albumentations", "numpy", "opencv-python-headless")

DECIDES = [
    *(f"learning/{name}" for name in ("augment", "augment_device", "loss", "order", "settings")),
    *(f"stages/{name}" for name in ("_feed", "_fit", "_precision", "_predict", "_state", "train")),
]
"""Modules, beside the architectures, that decide the numbers of a training."""


def pick_device(name: str) -> torch.device:
    """Return the device of a setting: "cpu", "cuda", or "auto" for CUDA where there is one.

    Raises:
        UserError: CUDA is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is 'cuda', but torch finds no CUDA device: set device to 'auto' or 'cpu'.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def describe_hardware(device: torch.device) -> dict[str, Any]:
    """Return names and numbers of the processor and of the GPU, if one is used."""
    facts: dict[str, Any] = {"processor": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    if device.type == "cuda":
        facts |= {"gpu": torch.cuda.get_device_name(device), "cuda": torch.version.cuda}
    return facts


def device_name(device: torch.device) -> str:
    """Return the name of the device that computes."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory used so far, MiB: of the GPU's allocator, or of this process."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    unit_bytes = 1 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 2**20, 1)


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for its next step to use.

    By default the GNU C library gives large blocks, such as each step's gradients, back to the system, which clears
    them page by page for the next step, which can take half of the time. With another library this does nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # another C library, another system
        return
    mallopt(-4, 0)  # M_MMAP_MAX: no block of its own from the system
    mallopt(-1, -1)  # M_TRIM_THRESHOLD: none back


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def commit() -> dict[str, Any]:
    """Return the commit of the code and whether it was changed since; None outside a git checkout."""
    folder = Path(bench.__file__).resolve().parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", str(folder)))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}


def program(model: str) -> str:
    """Return a hash of the files that decide the numbers of a training: loop, learning, architecture."""
    folder = Path(bench.__file__).parent
    parts = [*folder.glob("models/_*.py"), *(folder / f"{name}.py" for name in DECIDES)]
    parts.append(Path(str(plugins.load("models", model).__file__)))
    hasher = hashlib.sha256()
    for path in sorted(parts):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:12]


def _processor() -> str:
    """Return the processor's name as the system states it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
