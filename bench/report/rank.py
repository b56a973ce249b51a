"""Ranks of models over datasets, with the critical difference."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.stats.ranks import cliques, critical_difference, ranks

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Ranks over datasets.

    Attributes:
        ranks: rank within each dataset, 1 is best, (D, M); NaN for missing cells.
        mean_ranks: mean over the datasets, (M,); NaN for a model that lacks one.
        difference: Nemenyi's critical difference; NaN for incomplete grids.
        cliques: groups of models that the difference does not separate; empty for incomplete grids.
    """

    ranks: Array
    mean_ranks: Array
    difference: float
    cliques: list[list[int]]


def rank(values: Array) -> Ranking:
    """Return the ranking of scores (D, M); higher is better, NaN marks a missing cell."""
    placed = np.full(values.shape, np.nan)
    for row, scores in enumerate(values):
        known = np.isfinite(scores)
        placed[row, known] = ranks(scores[known])
    mean_ranks = placed.mean(0)
    difference, groups = float("nan"), []
    if np.isfinite(mean_ranks).all() and min(values.shape) > 1:
        difference = critical_difference(values.shape[1], values.shape[0])
        groups = cliques(mean_ranks, difference)
    return Ranking(placed, mean_ranks, difference, groups)
