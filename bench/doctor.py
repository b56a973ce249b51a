"""Say what this machine has and lacks for the benchmark, and whether the loader or the device limits a training."""

import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine

if TYPE_CHECKING:
    import torch

    from bench.formats.prepared import Prepared
    from bench.learning.settings import Settings

GRID_GB = 60
"""Disk for the paper's grid: 2 GB of arrays, and 100 runs with 0.1 to 0.6 GB of weights each."""

WARM_UP_STEPS = 2

WEIGHTS_HOST = "huggingface.co"
"""Where the encoders' ImageNet weights, and a copy of the merged collection, are."""


def environment(folder: Path) -> list[tuple[str, str, str]]:
    """Return (what, what was found, the cure or nothing) for each thing the benchmark needs."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    rows = [("Python", sys.version.split()[0], "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")]
    for name in ("torch", "segmentation-models-pytorch", "albumentations", "dvc"):
        rows.append((name, _version(name), "" if _version(name) else "pip install '.[train]'"))
    rows.append(("GPU", _gpu(), "" if _gpu() else "none: the full grid needs one; small settings run on the CPU"))
    rows.append(("CPU cores", str(machine.cores()), ""))
    rows.append(
        ("free disk", f"{free_gb:.0f} GB", "" if free_gb > GRID_GB else f"the full grid needs about {GRID_GB} GB")
    )
    unreachable = "" if _reaches(WEIGHTS_HOST) else "weights and data by hand: the errors of train and download say how"
    rows.append(("network", WEIGHTS_HOST if not unreachable else f"no {WEIGHTS_HOST}", unreachable))
    initialised = (folder / ".dvc").is_dir()
    rows.append(("DVC repository", "yes" if initialised else "no", "" if initialised else "run `dvc init` here"))
    slurm = shutil.which("sbatch") or ""
    rows.append(("Slurm", slurm or "no", "" if slurm else "only `bench sweep --engine slurm` needs it"))
    compiler = shutil.which("g++") or shutil.which("clang++") or ""
    rows.append(("C++ compiler", compiler or "no", "" if compiler else "only train.compile needs it"))
    return rows


def throughput(data: "Prepared", model: str, settings: "Settings", seconds: float) -> dict[str, float]:
    """Return images per second of the loader alone, of the step alone, and of both as they train.

    Args:
        data: a prepared dataset.
        model: name of the architecture.
        settings: the section ``train`` of params.yaml; its weights are not loaded.
        seconds: time of each of the three measurements.
    """
    from bench.stages._device import pick_device
    from bench.stages.train import configure

    device = pick_device(settings.device)
    settings = replace(settings, weights=None, epochs=10**6)
    configure(settings, 0)
    return {
        "loader": images_per_s(feed(data, settings, device), seconds, device),
        "step": images_per_s(steps(data, model, settings, device, repeat_one=True), seconds, device),
        "together": images_per_s(steps(data, model, settings, device, repeat_one=False), seconds, device),
    }


def verdict(found: dict[str, float], settings: "Settings") -> str:
    """Return one sentence: what limits the training, and what to turn."""
    share = 100 * found["together"] / found["step"]
    if found["loader"] > 1.2 * found["step"]:
        return f"The network limits the training, the loader keeps up: {share:.0f} % of the bare step's speed."
    cure = "more train.workers, a machine with more cores, or train.augment_on: device"
    if settings.augment_on == "device":
        cure = "train.augment_on: workers may be faster on a machine with many cores"
    return f"The loader limits the training, at {share:.0f} % of the bare step's speed: {cure}."


def feed(data: "Prepared", settings: "Settings", device: "torch.device") -> Iterator[int]:
    """Bring augmented batches to the device; yield the images of each."""
    from bench.stages._feed import train_batches

    for batch in train_batches(data, settings, 0, (1, 0), device):
        yield len(batch.rows)


def steps(
    data: "Prepared", model: str, settings: "Settings", device: "torch.device", repeat_one: bool
) -> Iterator[int]:
    """Train as ``bench train`` does, or repeat the step on one batch; yield the images of each step."""
    from bench.stages import _fit, train
    from bench.stages._feed import train_batches

    network, criterion = train.build_network(data, model, settings, device), train.build_loss(data, settings, device)
    state = _fit.start(network, settings, device)
    batches = train_batches(data, replace(settings, workers=0) if repeat_one else settings, 0, (1, 0), device)
    batch = next(batches)
    while True:
        _fit.step(state, batch, criterion, settings, device)
        yield len(batch.rows)
        if not repeat_one:
            batch = next(batches)


def images_per_s(work: Iterator[int], seconds: float, device: "torch.device") -> float:
    """Return the throughput of what yields its numbers of images, after a warm-up."""
    import torch

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(WARM_UP_STEPS):
        next(work)
    wait()
    start, images, count = time.perf_counter(), 0, 0
    while time.perf_counter() - start < seconds:
        images += next(work)
        count += 1
        if count % 10 == 0:
            wait()  # else a GPU would be given work for minutes to come
    wait()
    return images / (time.perf_counter() - start)


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


def _gpu() -> str:
    try:
        import torch
    except ImportError:
        return ""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""
