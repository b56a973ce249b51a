"""Intervals of several mean differences at once, from bootstrap draws, for few source images too."""

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]


def simultaneous(
    difference: Array, draws: Array, source_images: npt.ArrayLike, level: float = 0.95
) -> tuple[Array, Array]:
    """Return the ends of intervals that all hold with probability ``level``, (K,) each.

    Each end is the farther one of two intervals, whose level is corrected by the quantile, over the resamples, of the
    largest of the K absolute standardised deviations (max-T). One is that of percentiles, which follows skewness. The
    other is that of Student's t, for few source images: the bootstrap's variance of n of them is (n - 1) / n of the
    unbiased one, and uncertain. So it is scaled, and the degrees of freedom are those of Welch and Satterthwaite.

    Args:
        difference: K differences on each of D datasets, (D, K); the intervals are of their means over the datasets.
        draws: the same in each resample, (R, D, K); the datasets are resampled independently.
        source_images: number of source images of each dataset, (D,), at least 2.
        level: probability that all K intervals hold.

    Returns:
        Low and high; NaN for a difference with a NaN among its draws, which then is not one of the K, and if a dataset
        has a single source image.

    **Source:** Westfall and Young 1993, Resampling-Based Multiple Testing, section 2.3 (max-T); Welch 1947 and
    Satterthwaite 1946 (degrees of freedom); Efron and Tibshirani 1993, section 12.2 (t interval).

    >>> draws = np.random.default_rng(0).normal(0, 1, (2000, 1, 1))
    >>> low, high = simultaneous(np.zeros((1, 1)), draws, [1000])
    >>> bool(abs(high[0] - 1.96) < 0.1), bool(abs(low[0] + high[0]) < 0.1)
    (True, True)
    """
    count = np.asarray(source_images, np.float64)
    known = np.asarray(np.isfinite(draws).all((0, 1)), bool)
    known &= bool((count > 1).all())
    low, high = np.full((2, len(known)), np.nan)
    if not known.any():
        return low, high
    tail = _tail(draws[..., known].mean(1), level)
    half = _half_widths(draws[..., known], count, tail)
    mean = difference[:, known].mean(0)
    below, above = np.quantile(draws[..., known].mean(1), [tail, 1 - tail], axis=0)
    low[known], high[known] = np.minimum(mean - half, below), np.maximum(mean + half, above)
    return low, high


def _tail(means: Array, level: float) -> float:
    """Return the probability left out at either end of one interval, so that all hold at once; draws (R, K)."""
    spread = means.std(0)
    largest = np.divide(np.abs(means - means.mean(0)), spread, out=np.zeros_like(means), where=spread > 0).max(1)
    single = -special.ndtri((1 - level) / 2)  # of one difference; a few source images give a coarser, lower quantile
    return float(special.ndtr(-max(single, float(np.quantile(largest, level)))))


def _half_widths(draws: Array, count: Array, tail: float) -> Array:
    """Return half the width of the t intervals, (K,)."""
    part = draws.var(0) * (count / (count - 1))[:, None] / len(count) ** 2  # each dataset's share
    variance = part.sum(0)
    certain = np.maximum((part**2 / (count - 1)[:, None]).sum(0), np.finfo(float).tiny)
    degrees = np.maximum(variance**2 / certain, 1.0)
    return np.asarray(-special.stdtrit(degrees, tail) * np.sqrt(variance), np.float64)
