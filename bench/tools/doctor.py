"""Check this machine: what the benchmark needs, and what is missing."""

import shutil
import socket
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import machine

GRID_GB = 60
"""Disk space for the paper's grid: 2 GB of arrays, and 100 runs with 0.1 to 0.6 GB of weights each."""

WEIGHTS_HOST = "huggingface.co"
"""Hosts the encoders' ImageNet weights and a copy of the merged collection."""


def environment(folder: Path) -> list[tuple[str, str, str]]:
    """Return (requirement, what is present, hint or "") for each requirement of the benchmark."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    rows = [("Python", sys.version.split()[0], "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")]
    for name in ("torch", "segmentation-models-pytorch", "albumentations", "dvc"):
        rows.append((name, _version(name), "" if _version(name) else "pip install '.[train]'"))
    rows.append(("GPU", *_gpu()))
    rows.append(("CPU cores", str(machine.cores()), ""))
    rows.append(
        (
            "free disk",
            f"{free_gb:.0f} GB",
            "" if free_gb > GRID_GB else f"too little for the full grid, about {GRID_GB} GB",
        )
    )
    unreachable = (
        "" if _reaches(WEIGHTS_HOST) else "get weights and data by hand: the errors of train and download explain how"
    )
    rows.append(("network", WEIGHTS_HOST if not unreachable else f"no {WEIGHTS_HOST}", unreachable))
    initialised = (folder / ".dvc").is_dir()
    rows.append(("DVC repository", "yes" if initialised else "no", "" if initialised else "run `dvc init` here"))
    slurm = shutil.which("sbatch") or ""
    rows.append(("Slurm", slurm or "no", "" if slurm else "only `bench sweep --engine slurm` needs it"))
    compiler = shutil.which("g++") or shutil.which("clang++") or ""
    rows.append(("C++ compiler", compiler or "no", "" if compiler else "only train.compile needs it"))
    return rows


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _reaches(host: str) -> bool:
    try:
        socket.create_connection((host, 443), timeout=3).close()
    except OSError:
        return False
    return True


def _gpu() -> tuple[str, str]:
    """Return the GPU that torch finds, and a hint: none is there, or it was never tried."""
    try:
        import torch

        from bench.training.device import EXPERIMENTAL, accelerator
        from bench.training.provenance import device_name
    except ImportError:
        return "", "none found without torch"
    if not (kind := accelerator()):
        return "", "none: the full grid needs one; small settings run on the CPU"
    hint = (
        f"experimental, not tried: auto leaves it idle; name it, train.device: {kind}" if kind in EXPERIMENTAL else ""
    )
    return f"{device_name(torch.device(kind))} ({kind})", hint
