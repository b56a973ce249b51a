"""Ranks of models over datasets: Friedman, Nemenyi's critical difference, what resampling does to ranks."""

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]

PERMUTATIONS = 100_000
"""As many at most; a p of 0.05 is then known to 0.0014 (two standard errors)."""


@dataclass(frozen=True)
class Friedman:
    """Whether any model differs from any other.

    Attributes:
        chi2: Friedman's statistic. chi2_p: its p. f: the less conservative one of Iman and Davenport. f_p: its p.
    """

    chi2: float
    chi2_p: float
    f: float
    f_p: float


def ranks(scores: Array) -> Array:
    """Return the rank of each model, 1 for the highest score, ties shared; along the last axis.

    >>> ranks(np.array([[0.5, 0.9, 0.5]])).tolist()
    [[2.5, 1.0, 2.5]]
    """
    return np.asarray(stats.rankdata(-scores, axis=-1), np.float64)


def friedman(scores: Array) -> Friedman:
    """Return Friedman's test over datasets, (N, K), N and K at least 2; ties shared and corrected for.

    **Source:** Friedman 1940; Iman and Davenport 1980; as in Demsar 2006, JMLR 7, section 3.2.2.
    """
    datasets, models = scores.shape
    placed = ranks(scores)
    ties = sum(float((n**3 - n).sum()) for n in (np.unique(row, return_counts=True)[1] for row in placed))
    correction = 1 - ties / (datasets * models * (models**2 - 1))
    if correction == 0:  # all models alike everywhere
        return Friedman(0.0, 1.0, 0.0, 1.0)
    spread = float(((placed.mean(0) - (models + 1) / 2) ** 2).sum())
    chi2 = 12 * datasets / (models * (models + 1)) * spread / correction
    left = datasets * (models - 1) - chi2
    f = (datasets - 1) * chi2 / left if left > 1e-12 else np.inf
    degrees = models - 1, (models - 1) * (datasets - 1)
    return Friedman(chi2, float(stats.chi2.sf(chi2, models - 1)), float(f), float(stats.f.sf(f, *degrees)))


def friedman_p(scores: Array) -> tuple[float, bool]:
    """Return the p of Friedman's statistic, which holds for few datasets too, and whether it is exact.

    If all models were alike, every order of the ranks within each dataset would be as likely: all of them are looked
    at (with the first dataset's order fixed, as names do not matter), or ``PERMUTATIONS`` random ones.

    Args:
        scores: higher is better, (N, K).

    **Source:** Friedman 1937, J. Amer. Statist. Assoc. 32; Phipson and Smyth 2010, doi 10.2202/1544-6115.1585 (p of
    random permutations).

    >>> p, exact = friedman_p(np.array([[3.0, 2, 1], [3, 2, 1], [3, 1, 2]]))
    >>> round(p, 3), exact
    (0.194, True)
    """
    placed = ranks(scores)
    datasets, models = placed.shape
    exact = factorial(models) ** (datasets - 1) <= PERMUTATIONS
    if exact:
        sums = placed[:1]
        for row in placed[1:]:
            sums = (sums[:, None] + np.array(list(permutations(row)))).reshape(-1, models)
    else:
        generator = np.random.default_rng(0)
        sums = np.zeros((PERMUTATIONS, models))
        for row in placed:
            sums += generator.permuted(np.tile(row, (PERMUTATIONS, 1)), axis=1)
    as_far = int(((sums**2).sum(1) >= (placed.sum(0) ** 2).sum() - 1e-9).sum())
    return (as_far / len(sums) if exact else (as_far + 1) / (len(sums) + 1)), exact


def critical_difference(models: int, datasets: int, alpha: float = 0.05) -> float:
    """Return how far two mean ranks must lie apart to differ, with all pairs compared (Nemenyi).

    **Source:** Demsar 2006, JMLR 7, section 3.2.2: q sqrt(K (K + 1) / (6 N)), q the studentized range over sqrt 2.

    >>> round(critical_difference(10, 10), 2)
    4.28
    """
    q = stats.studentized_range.ppf(1 - alpha, models, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(models * (models + 1) / (6 * datasets)))


def cliques(mean_ranks: Array, difference: float) -> list[list[int]]:
    """Return the largest groups of models whose mean ranks all lie within ``difference``: positions, best first.

    Only groups of two or more: the bars of a critical-difference diagram.

    >>> cliques(np.array([1.0, 3.5, 2.0]), 1.6)
    [[0, 2], [2, 1]]
    """
    order = np.argsort(mean_ranks, kind="stable")
    found: list[list[int]] = []
    reached = 0
    for i in range(len(order)):
        end = int(np.searchsorted(mean_ranks[order], mean_ranks[order[i]] + difference, "right"))
        if end > reached and end - i > 1:
            found.append([int(j) for j in order[i:end]])
        reached = max(reached, end)
    return found


def rank_range(draws: Array, level: float = 0.95) -> tuple[Array, Array, Array]:
    """Return the lowest and highest place of each model in ``level`` of the resamples, and the share of first places.

    Args:
        draws: higher is better, of each resample, dataset and model, (R, D, M); nan in none.
        level: share of the resamples.

    Returns:
        Best place, worst place (1 is first; by mean rank over the datasets) and P(first), each (M,).
    """
    places = stats.rankdata(ranks(draws).mean(1), axis=-1, method="min")
    best, worst = np.quantile(places, [(1 - level) / 2, (1 + level) / 2], axis=0, method="nearest")
    return best, worst, np.asarray((places == 1).mean(0), np.float64)
