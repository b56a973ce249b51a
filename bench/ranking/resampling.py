"""Bootstrap a metric on one dataset: the numbers of each image that add up, and the metric of their sums."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.metrics.histogram import curves, miou_curves
from bench.metrics.ratios import f1, ratio
from bench.ranking.results import Results
from bench.stats.bootstrap import resample

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """A metric under one average, as the bootstrap computes it from numbers of each image.

    Attributes:
        numbers: rows of ``Results.images``, N images -> what is added up over images, (N, K).
        compute: sums of these numbers -> values of the metric.
        average: "pooled", "image_mean" or "batch_mean": the average that the bootstrap takes.
        stacked: whether ``compute`` takes one array (..., K) instead of K arrays.
    """

    numbers: Callable[[pd.DataFrame], Array]
    compute: Callable[..., Array]
    average: str
    stacked: bool


def draw(
    results: Results, metric: Any, average: str, dataset: str, models: Sequence[str], resamples: int, seed: int
) -> Array:
    """Return the metric of each model in each resample of one dataset, (R, M).

    All models are resampled on the same source images. Models with different numbers of seeds are resampled separately;
    the source images are the same because they are drawn first. With fewer than two source images all values are NaN.
    """
    draws = np.full((resamples, len(models)), np.nan)
    images = results.images[results.images["dataset"] == dataset]
    images = images.sort_values(["model", "seed", "item"], kind="stable")
    if images["photo"].nunique() < 2:
        return draws
    statistic = statistic_of(metric, average, results.histograms)
    rows_of = {m: rows for m, rows in images.groupby("model") if m in models}
    seeds_of = {m: rows["seed"].nunique() for m, rows in rows_of.items()}
    for seeds in sorted(set(seeds_of.values())):
        group = [m for m in models if seeds_of[m] == seeds]
        first_cell = rows_of[group[0]].iloc[: len(rows_of[group[0]]) // seeds]
        numbers = np.stack([statistic.numbers(rows_of[m]) for m in group])
        photos, batches = pd.factorize(first_cell["photo"])[0], first_cell["batch"].to_numpy()
        generator = np.random.default_rng([seed, zlib.crc32(dataset.encode())])
        draws[:, [list(models).index(m) for m in group]] = resample(
            statistic.compute, numbers.reshape(len(group), seeds, len(first_cell), -1), photos, batches,
            statistic.average, resamples, generator, statistic.stacked,
        )  # fmt: skip
    return draws


def statistic_of(metric: Any, average: str, histograms: npt.NDArray[np.uint32]) -> Statistic:
    """Return how a metric under an average is computed from numbers that add up over images.

    Args:
        metric: module of the metric.
        average: one that the metric defines.
        histograms: of all images, ``Results.histograms``.
    """
    columns = metric.INPUT.columns if metric.INPUT.over == "images" else [metric.INPUT.image_column]

    def of_columns(rows: pd.DataFrame) -> Array:
        return rows[list(columns)].to_numpy(float)

    def of_histograms(numbers: Callable[[Array], Array]) -> Callable[[pd.DataFrame], Array]:
        return lambda rows: numbers(histograms[rows.index].astype(np.float64))

    def of_tp_and_fp(sums: Array) -> Array:
        tp, fp = np.split(sums, 2, axis=-1)
        return np.asarray(metric.compute(tp, fp, tp[..., :1] - tp))  # at level 0 every crack pixel is in tp

    def of_mean(sums: Array) -> Array:
        return np.asarray(metric.compute(ratio(sums[..., :-1], sums[..., -1:])))

    if metric.INPUT.over == "images":
        return Statistic(of_columns, metric.compute, average, stacked=False)
    if average != "image_mean":
        return Statistic(of_histograms(_tp_and_fp), of_tp_and_fp, average, stacked=True)
    if metric.INPUT.image_column:  # already computed for each image, by evaluate
        return Statistic(of_columns, lambda value: value, average, stacked=False)
    (mean,) = metric.INPUT.columns
    # one threshold for all images: their scores are averaged first, then the best threshold is taken, as of a pool
    of_image = {"f1_mean": _f1, "miou_mean": _miou}[mean]
    return Statistic(of_histograms(of_image), of_mean, "pooled", stacked=True)


def _tp_and_fp(histograms: Array) -> Array:
    """Return tp and fp of each image at all thresholds, (N, 512): they add up as counts do."""
    return np.concatenate(curves(histograms)[:2], axis=1)


def _f1(histograms: Array) -> Array:
    """Return F1 of each image at all thresholds and whether it has any crack, (N, 257); F1 is 0 where it has none."""
    has_crack = histograms[:, 0].sum(1) > 0
    return np.column_stack([np.where(has_crack[:, None], f1(*curves(histograms)), 0.0), has_crack])


def _miou(histograms: Array) -> Array:
    """Return mIoU of each image at all thresholds and 1, (N, 257); NaN for an empty histogram."""
    recorded = histograms.sum(axis=(1, 2)) > 0
    return np.column_stack([np.where(recorded[:, None], miou_curves(histograms), np.nan), np.ones(len(histograms))])
