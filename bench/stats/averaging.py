"""The averaging conventions of the field: the same metric of the same predictions, three numbers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Metric = Callable[..., npt.NDArray[np.float64]]

AVERAGES = ("pooled", "image_mean", "batch_mean")
"""pooled: counts added over all images, then the metric. image_mean: the metric of each image, then the mean.
batch_mean: counts added over each evaluation batch, the metric of each batch, then the mean, which is what the paper's
authors compute. Images or batches where the metric is nan are left out of a mean (``nanmean``)."""


def average(metric: Metric, counts: Counts, batches: npt.NDArray[np.int64], how: str) -> float:
    """Return a metric over a set of images under one convention, nan where it is defined nowhere.

    Args:
        metric: (tp, fp, fn, tn) -> values.
        counts: tp, fp, fn, tn of each image, (N, 4).
        batches: number of the evaluation batch of each image, (N,).
        how: one of ``AVERAGES``.

    Raises:
        ValueError: ``how`` is none of them.

    >>> iou = lambda tp, fp, fn, tn: tp / (tp + fp + fn)
    >>> counts = np.array([[1.0, 0, 1, 8], [3, 0, 0, 7], [0, 1, 0, 9]])
    >>> [round(average(iou, counts, np.array([0, 0, 1]), how), 4) for how in AVERAGES]
    [0.6667, 0.5, 0.4]
    """
    if how == "pooled":
        groups = counts.sum(0, keepdims=True)
    elif how == "image_mean":
        groups = counts
    elif how == "batch_mean":
        groups = np.stack([counts[batches == b].sum(0) for b in np.unique(batches)])
    else:
        raise ValueError(f"unknown average {how!r}; valid: {', '.join(AVERAGES)}")
    values = metric(*groups.T)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
