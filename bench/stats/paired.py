"""Compare two models on the same datasets: Wilcoxon with Holm, effect sizes, Bayesian signed-rank test."""

import numpy as np
import numpy.typing as npt

from bench.stats.ranks import ranks

Array = npt.NDArray[np.float64]


def wilcoxon(difference: Array) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test, exact for few datasets; 1 if all differences are 0.

    Args:
        difference: difference of the two scores on each dataset, (N,), N at least 1.

    **Source:** Wilcoxon 1945; Demsar 2006, JMLR 7, section 3.1.3.

    >>> wilcoxon(np.arange(1.0, 11)) == 2 / 2**10
    True
    """
    from scipy import stats  # takes longer to import than a leaderboard to make

    nonzero = difference[difference != 0]
    return float(stats.wilcoxon(nonzero).pvalue) if len(nonzero) else 1.0


def holm(p: npt.ArrayLike) -> Array:
    """Return Holm-adjusted p values, in the given order; they control the family-wise error rate.

    **Source:** Holm 1979, Scand. J. Statist. 6.

    >>> holm([0.04, 0.01, 0.03]).round(6).tolist()
    [0.06, 0.03, 0.06]
    """
    p_values = np.asarray(p, np.float64)
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def smallest_p(datasets: int, comparisons: int) -> float:
    """Return the smallest p that Wilcoxon with Holm can reach: when all datasets agree in every comparison.

    >>> smallest_p(10, 1), round(smallest_p(10, 9), 4), round(smallest_p(10, 45), 4)
    (0.001953125, 0.0176, 0.0879)
    """
    return float(min(1.0, comparisons * 2.0 ** (1 - datasets)))


def rank_biserial(difference: Array) -> float:
    """Return the matched-pairs rank-biserial correlation: 1 if all datasets favour the first model, -1 the second.

    Zero differences are dropped; the result is 0 if all are zero.

    **Source:** Kerby 2014, doi 10.2466/11.IT.3.1.

    >>> round(rank_biserial(np.array([1.0, 2, 3, -0.5])), 2)
    0.8
    """
    nonzero = difference[difference != 0]
    ranked = ranks(-np.abs(nonzero))
    return float((ranked * np.sign(nonzero)).sum() / ranked.sum()) if len(nonzero) else 0.0


def cohen_dz(difference: Array) -> float:
    """Return mean / standard deviation of the paired differences; NaN for fewer than two, or if they are all equal.

    A deviation below 1e-12 of the largest difference is rounding error and counts as zero.

    **Source:** Cohen 1988, section 2.3.5; Lakens 2013, doi 10.3389/fpsyg.2013.00863.

    >>> cohen_dz(np.array([1.0, 2, 3]))
    2.0
    """
    if len(difference) < 2:
        return float("nan")
    deviation = difference.std(ddof=1)
    noise = 1e-12 * np.abs(difference).max()
    return float(difference.mean() / deviation) if deviation > noise else float("nan")


def bayesian_signed_rank(
    difference: Array, rope: float, seed: int, samples: int = 10_000
) -> tuple[float, float, float]:
    """Return the probabilities that the first model is worse, practically equal, and better on a new dataset.

    Args:
        difference: first minus second on each dataset, higher is better, (N,).
        rope: half the width of the region of practical equivalence, above 0, in units of the score.
        seed: seed of the posterior samples.
        samples: number of posterior samples.

    **Source:** Benavoli 2014, ICML 32; Benavoli 2017, JMLR 18, section 4.2. Computed by baycomp.
    """
    from baycomp import SignedRankTest

    zero = np.zeros_like(difference)
    worse, equal, better = SignedRankTest.probs(zero, difference, rope, nsamples=samples, random_state=seed)
    return float(worse), float(equal), float(better)
