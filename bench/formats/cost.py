"""The cost of a model: results/cost/<model>.json."""

from pathlib import Path
from typing import Any

from bench.formats import files

KINDS: dict[str, files.Kind] = {
    **dict.fromkeys(["model", "model_name", "encoder"], object),
    **dict.fromkeys(["image_size", "parameters", "gmacs", "gflops", "latency_ms_p50", "latency_ms_p95"], files.NUMBER),
    **dict.fromkeys(["images_per_s", "peak_memory_mb"], files.NUMBER),
    **dict.fromkeys(["device", "threads", "repeats", "versions"], object),
}
KEYS = list(KINDS)
"""parameters: trainable parameters; gmacs: 1e9 multiply-adds for one image (fvcore); gflops: 2 gmacs; latency: forward
pass of one image, ms; peak_memory_mb: MiB, of the forward pass on a GPU, of the whole process on a CPU; device: name of
the processor or GPU."""


def write(path: Path, cost: dict[str, Any]) -> None:
    """Write the cost of one model."""
    missing = [key for key in KEYS if key not in cost]
    if missing:
        raise ValueError(f"cost record lacks {missing}")
    files.write_json(path, files.with_checksum(cost))


def read(path: Path) -> dict[str, Any]:
    """Return the cost of one model.

    Raises:
        UserError: the file is missing, damaged or lacks a key.
    """
    cost: dict[str, Any] = files.read_object(path, KINDS, "run `bench measure` for this model again")
    return cost
