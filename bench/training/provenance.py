"""Record provenance: hardware, library versions, and the code that ran."""

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import bench
from bench import plugins

LIBRARIES = ("crackbench", "torch", "segmentation-models-pytorch", "albumentations", "numpy", "opencv-python-headless")

HASHED_FILES = [
    *(
        f"training/{name}.py"
        for name in (
            "augment", "augment_device", "loader", "loop", "loss", "order", "precision", "predict", "saver", "settings",
            "state",
        )
    ),
    "models/_context_cracknet.py",
    "models/packaged.py",
    "models/smp.py",
    "models/weights.py",
    "stages/train.py",
]  # fmt: skip
"""Source files that determine a training result, besides the architecture's file (hashed into ``program``)."""


def describe_hardware(device: torch.device) -> dict[str, Any]:
    """Return the processor's name and core count, and the name of the GPU if one is used."""
    facts: dict[str, Any] = {"processor": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    if device.type != "cpu":
        facts |= {"gpu": device_name(device), device.type: getattr(torch.version, device.type, None)}
    return facts


def device_name(device: torch.device) -> str:
    """Return the name of the GPU or, on a CPU, of the processor."""
    if device.type in ("cuda", "xpu"):
        return str(torch.get_device_module(device).get_device_name(device))
    return f"{_processor()} GPU" if device.type == "mps" else _processor()  # one chip, whose GPU torch does not name


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def commit() -> dict[str, Any]:
    """Return the commit of the code and whether it has uncommitted changes; None outside a git checkout."""
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
    """Return a hash of the source files that determine a training result, the architecture included."""
    folder = Path(bench.__file__).parent
    paths = [folder / name for name in HASHED_FILES]
    paths.append(Path(str(plugins.load("models", model).__file__)))
    hasher = hashlib.sha256()
    for path in sorted(paths):
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:12]


def _processor() -> str:
    """Return the processor's name as reported by the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
