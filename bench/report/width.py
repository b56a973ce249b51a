"""Crack IoU by crack width."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.stats.bootstrap import interval, resample

WIDTHS_PX = (0, 2, 3, 4, 6, 9, np.inf)
"""Edges of the width bins, px: roughly equal steps on a log scale, from hairline cracks to joints."""


def iou_by_width(images: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return pooled crack IoU of the images in each bin of crack width.

    Columns: bin, order, images, model, value, low, high.

    The width of the crack in an image is the area of the true mask divided by the length of its skeleton, both in
    pixels. Diagonal steps count as one pixel, so oblique cracks appear up to 1.4 times as wide. Images without cracks
    are left out. Intervals resample source images within a bin, across all datasets.
    """
    cracked = images[images["skeleton_true"] > 0]
    width = (cracked["tp"] + cracked["fn"]) / cracked["skeleton_true"]
    order = np.digitize(width, WIDTHS_PX[1:-1])
    metric = plugins.load("metrics", "crack_iou")
    rows: list[dict[str, Any]] = []
    for number, (low, high) in enumerate(pairwise(WIDTHS_PX)):
        label = f"< {high:g}" if low == 0 else f"≥ {low:g}" if high == np.inf else f"{low:g}–{high:g}"
        in_bin = cracked[order == number]
        size = len(in_bin[["dataset", "item"]].drop_duplicates())
        for model in models:
            of_model = in_bin[in_bin["model"] == model]
            counts = of_model.groupby(["dataset", "photo", "item"])[["tp", "fp", "fn", "tn"]].sum()
            row = {"bin": label, "order": number, "images": size, "model": model}
            rows.append(row | _pooled(metric.compute, counts))
    return pd.DataFrame(rows)


def _pooled(compute: Any, counts: pd.DataFrame) -> dict[str, float]:
    """Return the pooled metric of some images with its 95 % interval; NaN where undefined."""
    if counts.empty:
        return dict.fromkeys(("value", "low", "high"), float("nan"))
    photos = np.asarray(counts.groupby(level=[0, 1], sort=False).ngroup(), np.int64)
    table = counts.to_numpy(float)
    generator = np.random.default_rng(0)
    draws = resample(compute, table[None, None], photos, np.zeros(len(table), int), "pooled", 1000, generator)
    low, high = interval(draws)
    value = float(compute(*table.sum(0)[:, None])[0])
    if photos.max() == 0:  # a single source image gives no interval
        return {"value": value, "low": float("nan"), "high": float("nan")}
    return {"value": value, "low": float(low[0]), "high": float(high[0])}
