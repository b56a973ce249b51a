"""The cost of a model: results/cost/<model>.json."""

import math
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.formats import files

HINT = "run `bench measure` for this model again"

KINDS: dict[str, files.Kind] = {
    **dict.fromkeys(["model", "model_name", "encoder"], object),
    **dict.fromkeys(["image_size", "parameters", "gmacs", "gflops", "latency_ms_p50", "latency_ms_p95"], files.NUMBER),
    **dict.fromkeys(["images_per_s", "peak_memory_mb"], files.NUMBER),
    **dict.fromkeys(["device", "threads", "repeats", "versions"], object),
}
LATER: dict[str, Any] = {"counter": "fvcore", "anchor": "", "anchor_ms_before": None, "anchor_ms_after": None}
"""Keys that older files lack, and how these are read: counted by fvcore, without an anchor."""

KEYS = list(KINDS)
"""parameters: trainable parameters; gmacs: 1e9 multiply-adds for one image; gflops: 2 gmacs; latency: forward pass of
one image, ms; peak_memory_mb: MiB, of the forward pass on a GPU, of the whole process on a CPU; device: name of the
processor or GPU. Of later files also counter: what counted the multiply-adds; anchor: a reference network;
anchor_ms_before and anchor_ms_after: its median latency with an image of the same size, right before and right after
the model's."""

COUNTER = "torch.utils.flop_counter"
ANCHOR = "ResNet-18"
"""torchvision's, whole, in float32: what the latency is a multiple of, so that machines can be compared."""

DRIFT = 0.1
"""Relative change of the anchor's latency from which a measurement is marked: the machine was not steady."""


def write(path: Path, cost: dict[str, Any]) -> None:
    """Write the cost of one model."""
    missing = [key for key in KEYS if key not in cost]
    if missing:
        raise ValueError(f"cost record lacks {missing}")
    files.write_json(path, files.with_checksum(cost))


def read(path: Path) -> dict[str, Any]:
    """Return the cost of one model; what older files lack is as in ``LATER``.

    Two keys are derived: relative_latency, the median latency as a multiple of the anchor's, NaN without an anchor; and
    drifted, whether the anchor's latency changed by more than ``DRIFT`` while the model was measured.

    Raises:
        UserError: the file is missing, damaged or lacks a key.
    """
    cost: dict[str, Any] = LATER | files.read_object(path, KINDS, HINT)
    around = [cost["anchor_ms_before"], cost["anchor_ms_after"]]
    if around == [None, None]:
        return cost | {"relative_latency": math.nan, "drifted": False}
    for key in ("anchor_ms_before", "anchor_ms_after"):
        if isinstance(cost[key], bool) or not isinstance(cost[key], int | float) or not 0 < cost[key] < math.inf:
            raise UserError(f"{path}: {key} is {cost[key]!r:.80}, not a latency in ms: {HINT}.")
    relative, drifted = 2 * cost["latency_ms_p50"] / sum(around), max(around) > (1 + DRIFT) * min(around)
    return cost | {"relative_latency": relative, "drifted": drifted}
