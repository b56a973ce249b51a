"""Every metric of arrays in memory, computed as the stage evaluate does."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats import scores
from bench.formats.prepared import IGNORED, Prepared
from bench.ranking.summary import summarise
from bench.stages.evaluate import score
from bench.tools.levels import to_levels, to_mask

Array = npt.NDArray[Any]

AVERAGES = ("pooled", "image_mean")


def evaluate_arrays(pred: Array, true: Array, known: Array | None, average: str) -> dict[str, float]:
    """Return every metric as in ``bench.api.evaluate``."""
    if average not in AVERAGES:
        raise UserError(f"average is {average!r}: choose pooled or image_mean.")
    for name, array in {"pred": pred, "true": true}.items():
        if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or not array.size:
            raise UserError(
                f"{name} is {array.dtype} of shape {array.shape}: give one number per pixel, (H, W) or (N, H, W)."
            )
    if pred.shape != true.shape:
        raise UserError(f"pred has shape {pred.shape} and true {true.shape}: give both the same.")
    known = np.ones(true.shape, bool) if known is None else known
    if known.dtype != bool or known.shape != true.shape:
        raise UserError(f"known is {known.dtype} of shape {known.shape}: give bool of shape {true.shape}.")
    levels = to_levels({"pred": pred}, "pred")["pred"]
    mask = to_mask(np.where(known, true, np.zeros((), true.dtype)), "true")
    height, width = true.shape[-2:]
    classes = np.where(known, mask, IGNORED).astype(np.uint8).reshape(-1, height, width)
    return _values(_summary(levels.reshape(classes.shape), classes), average, len(classes) == 1)


def _summary(levels: npt.NDArray[np.uint8], masks: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """Return every metric under every average, as in ``summarise``, of images (N, H, W)."""
    count, height, width = masks.shape
    names = [str(number) for number in range(count)]
    items = pd.DataFrame({"item": names, "photo": names, "image": names, "split": "test", "top": 0, "left": 0})
    items = items.assign(native_h=height, native_w=width)
    unseen = np.broadcast_to(np.uint8(0), (*masks.shape, 3))  # scoring looks at the masks only
    data = Prepared(unseen, masks, items, {"settings": {}})
    tables, _ = score(data, lambda item, _: levels[int(item)], count)
    cell: dict[str, Any] = dict(zip(scores.CELL, ("arrays", "pred", 0), strict=True))
    return summarise(*(tables[name].assign(**cell) for name in ("images", "curves", "batches")))


def _values(summary: pd.DataFrame, average: str, is_single: bool) -> dict[str, float]:
    """Return metric -> value under an average; of a single image all averages are one, so any that is defined."""
    table = summary.pivot(index="metric", columns="average", values="value")
    values = table[average]
    if is_single:
        values = values.fillna(table["pooled"]).fillna(table["image_mean"])
    return {str(metric): float(value) for metric, value in values.items()}
