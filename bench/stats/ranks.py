"""Ranks of models over datasets: Friedman test, Nemenyi's critical difference, rank intervals from resamples."""

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import numpy.typing as npt
from scipy import special  # not stats, whose import takes longer than a leaderboard

Array = npt.NDArray[np.float64]

PERMUTATIONS = 100_000
"""Largest number of permutations; a p of 0.05 is then accurate to 0.0014 (two standard errors)."""


@dataclass(frozen=True)
class Friedman:
    """Result of Friedman's test of whether any model differs from any other.

    Attributes:
        chi2: Friedman's statistic. chi2_p: its p. f: the less conservative statistic of Iman and Davenport. f_p: its p.
    """

    chi2: float
    chi2_p: float
    f: float
    f_p: float


def ranks(scores: Array) -> Array:
    """Return the rank of each model, 1 for the highest score, ties shared; along the last axis.

    A NaN makes all ranks beside it NaN.

    >>> ranks(np.array([[0.5, 0.9, 0.5]])).tolist()
    [[2.5, 1.0, 2.5]]
    """
    ranked = np.empty(scores.shape)
    for i in range(scores.shape[-1]):
        one = scores[..., i : i + 1]
        ranked[..., i] = (scores > one).sum(-1) + ((scores == one).sum(-1) + 1) / 2
    ranked[np.isnan(scores).any(-1)] = np.nan
    return ranked


def friedman(scores: Array) -> Friedman:
    """Return Friedman's test for scores (N datasets, K models), N and K at least 2, corrected for ties.

    **Source:** Friedman 1940; Iman and Davenport 1980; as in Demsar 2006, JMLR 7, section 3.2.2.
    """
    datasets, models = scores.shape
    ranked = ranks(scores)
    ties = sum(float((n**3 - n).sum()) for n in (np.unique(row, return_counts=True)[1] for row in ranked))
    correction = 1 - ties / (datasets * models * (models**2 - 1))
    if correction == 0:  # all models are tied on every dataset
        return Friedman(0.0, 1.0, 0.0, 1.0)
    between = float(((ranked.mean(0) - (models + 1) / 2) ** 2).sum())
    chi2 = 12 * datasets / (models * (models + 1)) * between / correction
    remainder = datasets * (models - 1) - chi2
    f = (datasets - 1) * chi2 / remainder if remainder > 1e-12 else np.inf
    degrees = models - 1, (models - 1) * (datasets - 1)
    return Friedman(chi2, float(special.chdtrc(models - 1, chi2)), float(f), float(special.fdtrc(*degrees, f)))


def friedman_p(scores: Array) -> tuple[float, bool]:
    """Return the permutation p of Friedman's statistic, valid for few datasets too, and whether it is exact.

    Under the null hypothesis, all orders of the ranks within each dataset are equally likely. All orders are enumerated
    (with that of the first dataset fixed, by symmetry) or, if there are too many, ``PERMUTATIONS`` random ones drawn.

    Args:
        scores: scores, higher is better, (N, K).

    **Source:** Friedman 1937, J. Amer. Statist. Assoc. 32; Phipson and Smyth 2010, doi 10.2202/1544-6115.1585 (p of
    random permutations).

    >>> p, exact = friedman_p(np.array([[3.0, 2, 1], [3, 2, 1], [3, 1, 2]]))
    >>> round(p, 3), exact
    (0.194, True)
    """
    ranked = ranks(scores)
    datasets, models = ranked.shape
    exact = factorial(models) ** (datasets - 1) <= PERMUTATIONS
    if exact:
        sums = ranked[:1]
        for row in ranked[1:]:
            sums = (sums[:, None] + np.array(list(permutations(row)))).reshape(-1, models)
    else:
        generator = np.random.default_rng(0)
        sums = np.zeros((PERMUTATIONS, models))
        for row in ranked:
            sums += generator.permuted(np.tile(row, (PERMUTATIONS, 1)), axis=1)
    extreme = int(((sums**2).sum(1) >= (ranked.sum(0) ** 2).sum() - 1e-9).sum())
    return (extreme / len(sums) if exact else (extreme + 1) / (len(sums) + 1)), exact


def critical_difference(models: int, datasets: int, alpha: float = 0.05) -> float:
    """Return the difference of two mean ranks above which they differ significantly, comparing all pairs (Nemenyi).

    **Source:** Demsar 2006, JMLR 7, section 3.2.2: q sqrt(K (K + 1) / (6 N)), q the studentized range over sqrt 2.

    >>> round(critical_difference(10, 10), 2)
    4.28
    """
    low, high = 0.0, 100.0
    for _ in range(60):  # bisection
        q = (low + high) / 2
        low, high = (q, high) if studentized_range_cdf(q, models) < 1 - alpha else (low, q)
    return float(q / np.sqrt(2) * np.sqrt(models * (models + 1) / (6 * datasets)))


def studentized_range_cdf(q: float, models: int) -> float:
    """Return the probability that the range of ``models`` independent standard normal values is at most ``q``.

    **Source:** Tukey 1953; K times the integral of phi(z) (Phi(z) - Phi(z - q))^(K - 1). The trapezoidal rule converges
    geometrically for such an integrand (Trefethen and Weideman 2014, doi 10.1137/130932132).

    >>> round(studentized_range_cdf(2 * special.erfinv(0.95), 2), 6)  # two values differ by sqrt 2 times a normal one
    0.95
    """
    z = np.linspace(-9, 9, 500)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(models * np.trapezoid(density * (special.ndtr(z) - special.ndtr(z - q)) ** (models - 1), z))


def cliques(mean_ranks: Array, difference: float) -> list[list[int]]:
    """Return the maximal groups of models whose mean ranks lie within ``difference``: indices, best rank first.

    Groups of one model are left out. The groups are the bars of a critical-difference diagram.

    >>> cliques(np.array([1.0, 3.5, 2.0]), 1.6)
    [[0, 2], [2, 1]]
    """
    order = np.argsort(mean_ranks, kind="stable")
    groups: list[list[int]] = []
    last_end = 0
    for i in range(len(order)):
        end = int(np.searchsorted(mean_ranks[order], mean_ranks[order[i]] + difference, "right"))
        if end > last_end and end - i > 1:
            groups.append([int(j) for j in order[i:end]])
        last_end = max(last_end, end)
    return groups


def rank_range(draws: Array, level: float = 0.95) -> tuple[Array, Array, Array]:
    """Return the interval of each model's place over the resamples, and its probability of being first.

    Args:
        draws: scores in each resample, dataset and model, higher is better, (R, D, M), without NaN.
        level: share of the resamples that the interval contains.

    Returns:
        Best place, worst place (1 is first, by mean rank over the datasets) and P(first), each (M,).
    """
    means = ranks(draws).mean(1)
    places = np.stack([1 + (means < means[:, i : i + 1]).sum(1) for i in range(means.shape[1])], axis=1)
    best, worst = np.quantile(places, [(1 - level) / 2, (1 + level) / 2], axis=0, method="nearest")
    return best, worst, np.asarray((places == 1).mean(0), np.float64)
