"""The cost of one model: results/cost/<model>.json."""

from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.formats import files

KEYS = ["model", "model_name", "encoder", "image_size", "parameters", "gmacs", "gflops"]
KEYS += [
    "latency_ms_p50",
    "latency_ms_p95",
    "images_per_s",
    "peak_memory_mb",
    "device",
    "threads",
    "repeats",
    "versions",
]
"""parameters: trainable ones; gmacs: 1e9 multiply-adds of one image (fvcore); gflops: 2 gmacs; latency: one image,
forward pass, ms; peak_memory_mb: of the forward pass, MiB; device: the processor's or GPU's name."""


def write(path: Path, cost: dict[str, Any]) -> None:
    """Write the cost of one model."""
    missing = [key for key in KEYS if key not in cost]
    if missing:
        raise ValueError(f"cost record lacks {missing}")
    files.write_json(path, cost)


def read(path: Path) -> dict[str, Any]:
    """Return the cost of one model.

    Raises:
        UserError: the file is missing, damaged or lacks a key.
    """
    cost: dict[str, Any] = files.read_json(path)
    missing = [key for key in KEYS if key not in cost]
    if missing:
        raise UserError(f"{path} lacks the key {missing[0]!r}: run `bench measure` for this model again.")
    return cost
