"""The averaging conventions, image by image: what the summary of all cells and the bootstrap are held against."""

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
        metric: one array per column -> values.
        counts: what the metric takes, of each image, (N, K).
        batches: number of the evaluation batch of each image, (N,).
        how: one of ``AVERAGES``.

    Raises:
        ValueError: ``how`` is none of them.
    """
    values = metric(*grouped(counts, batches, how).T)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def grouped(counts: Counts, batches: npt.NDArray[np.int64], how: str) -> Counts:
    """Return the counts added over what a convention takes as one: (1, K), (N, K) or (batches, K).

    Raises:
        ValueError: ``how`` is none of ``AVERAGES``.
    """
    if how == "pooled":
        return np.asarray(counts.sum(0, keepdims=True), np.float64)
    if how == "image_mean":
        return counts
    if how == "batch_mean":
        _, number = np.unique(batches, return_inverse=True)
        sums = np.zeros((number.max(initial=-1) + 1, counts.shape[1]))
        np.add.at(sums, number, counts)
        return sums
    raise ValueError(f"unknown average {how!r}; valid: {', '.join(AVERAGES)}")
