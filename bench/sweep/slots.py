"""Divide a machine into slots; each runs one cell at a time."""

import os
import subprocess
from dataclasses import dataclass

from bench import machine
from bench.errors import UserError

CELL_MEMORY_GB = 8
"""Assumed memory of one CPU cell, for the number of slots: resnet50 at 448 px, batch 8 in parts."""


@dataclass(frozen=True)
class Slot:
    """A place for one cell.

    Attributes:
        gpu: value of CUDA_VISIBLE_DEVICES; None on a machine without GPUs.
        threads: CPU threads.
        share: fraction of the GPU's memory, 0 to 1.
    """

    gpu: str | None
    threads: int
    share: float = 1.0


def slots(jobs: int | None, per_gpu: int) -> list[Slot]:
    """Return the slots of this machine.

    Args:
        jobs: number of slots; None for one per GPU and cell that shares it, or without GPUs as many as cores and
            memory allow.
        per_gpu: cells that share one GPU.

    Raises:
        UserError: more jobs than the GPUs have places.
    """
    cores, cards = machine.cores(), gpus()
    if not cards:
        count = jobs or max(1, min(cores, int(machine.memory_bytes() / 2**30 / CELL_MEMORY_GB)))
        return [Slot(None, max(1, cores // count)) for _ in range(count)]
    places = [card for _ in range(per_gpu) for card in cards]
    if jobs is not None and jobs > len(places):
        raise UserError(
            f"{jobs} jobs do not fit on {len(cards)} GPUs with {per_gpu} per GPU: raise --per-gpu or lower --jobs."
        )
    count = jobs or len(places)
    return [Slot(card, max(1, cores // count), 1 / per_gpu) for card in places[:count]]


def gpus() -> list[str]:
    """Return the GPUs available to this process, as CUDA_VISIBLE_DEVICES names them; does not initialise CUDA."""
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() and name.strip() != "-1"]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(i) for i, line in enumerate(listed.splitlines()) if line.startswith("GPU ")]
