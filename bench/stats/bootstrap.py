"""Hierarchical bootstrap of a metric: photographs within a dataset, then seeds; the same photographs for all models."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Metric = Callable[..., Array]

CHUNK_BYTES = 2**22
"""Memory that the resampled counts of one chunk may take: what stays in a cache is a fifth faster than 2**26."""


def resample(
    metric: Metric,
    counts: Array,
    photos: npt.NDArray[np.int64],
    batches: npt.NDArray[np.int64],
    how: str,
    resamples: int,
    generator: np.random.Generator,
    stacked: bool = False,
) -> Array:
    """Return a metric of every model in each resample of one dataset, (R, M).

    Photographs are drawn with replacement, all crops of one together, since crops of one photograph are not
    independent; then the seeds of each model, independently. As the weights of the photographs are multinomial counts,
    one matrix product adds up the counts of many resamples at once.

    Args:
        metric: K arrays of counts -> values.
        counts: of each model, seed and image, (M, S, N, K); nan where a cell is missing, whose model gets nan.
        photos: number of the source photograph of each image, (N,).
        batches: number of the evaluation batch of each image, (N,); batches stay as they are and lose or gain weight.
        how: "pooled", "image_mean" or "batch_mean".
        resamples: R.
        generator: decides the draws.
        stacked: whether ``metric`` takes one array (..., K) instead.

    **Source:** Efron and Tibshirani 1993, chapter 8 (resample the independent units); Davison and Hinkley 1997,
    section 3.8 (nested levels).

    >>> share = lambda a, b: a / (a + b)
    >>> counts = np.array([[[[1.0, 1], [3, 1]]]])
    >>> first, generator = np.array([0, 1]), np.random.default_rng(0)
    >>> sorted(set(resample(share, counts, first, first, "pooled", 50, generator)[:, 0].round(3).tolist()))
    [0.5, 0.667, 0.75]
    """
    compute: Metric = metric if stacked else lambda table: metric(*np.moveaxis(table, -1, 0))
    if how == "image_mean":
        values = compute(counts)
        counts = np.stack([np.nan_to_num(values), np.isfinite(values)], axis=-1)
        compute = _mean
    groups = batches if how == "batch_mean" else np.zeros_like(batches)
    number, photo = np.unique(photos, return_inverse=True)
    photographs, (models, seeds, _, columns) = len(number), counts.shape
    weights = generator.multinomial(photographs, np.full(photographs, 1 / photographs), resamples).astype(float)
    step = max(1, CHUNK_BYTES // (8 * models * seeds * columns))
    total, defined = np.zeros((resamples, models, seeds)), np.zeros((resamples, models, seeds))
    for group in np.unique(groups):
        there, table = _by_photo(counts[:, :, groups == group], photo[groups == group])
        for part in (slice(i, i + step) for i in range(0, resamples, step)):
            sums = (weights[part, there] @ table.reshape(len(there), -1)).reshape(-1, models, seeds, columns)
            values = compute(sums)
            total[part] += np.nan_to_num(values)
            defined[part] += np.isfinite(values)
    return _over_seeds(_quotient(total, defined), generator)


def interval(draws: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Return the lower and upper end of the percentile interval over the first axis.

    **Source:** Efron and Tibshirani 1993, section 13.3. With few photographs it is too narrow: five photographs
    cannot show what a sixth would.

    >>> low, high = interval(np.arange(101.0)[:, None], 0.9)
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([5.0], [95.0])
    """
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _by_photo(counts: Array, photos: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Array]:
    """Return the photographs that there are, and the counts added over the images of each, (P, M, S, K)."""
    there, photo = np.unique(photos, return_inverse=True)
    models, seeds, _, columns = counts.shape
    table = np.zeros((len(there), models, seeds, columns))
    np.add.at(table, photo, np.moveaxis(counts, 2, 0))
    return there, table


def _over_seeds(values: Array, generator: np.random.Generator) -> Array:
    """Return the mean over seeds drawn with replacement, for each model on its own: (R, M, S) to (R, M)."""
    resamples, models, seeds = values.shape
    if seeds == 1:
        return np.asarray(values[..., 0], np.float64)
    weights = generator.multinomial(seeds, np.full(seeds, 1 / seeds), (resamples, models))
    return np.asarray(np.einsum("rms,rms->rm", weights / seeds, values), np.float64)


def _mean(sums: Array) -> Array:
    """Return the mean of what is defined, of its sum and its number, (..., 2)."""
    return _quotient(sums[..., 0], sums[..., 1])


def _quotient(total: Array, count: Array) -> Array:
    values: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return values
