"""Scores when the labels are off by one pixel: the band of a score, and the models whose order lies inside it."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.formats.scores import CELL, COUNTS, MOVED, MOVEMENTS
from bench.ranking.results import Results
from bench.ranking.standings import Query, Standings

Array = npt.NDArray[np.float64]

HEADING = "Labels ±1 px"
"""Heading of the columns with bands."""

CROSSES = " *"
"""Mark of a difference whose band contains 0."""

MOST_PAIRS = 12
"""Maximum number of pairs that are named; more are only counted."""

MEANING = (
    f"{HEADING}: lowest and highest value when the true masks are left as they are, made 1 px wider or narrower on "
    "each side, or shifted by 1 px, the same for all models; an eroded label keeps its skeleton."
)


def moved_scores(results: Results, query: Query, datasets: Sequence[str], models: Sequence[str]) -> Array | None:
    """Return the score of each model on each dataset under each movement of the labels, (1 + V, D, M).

    The first is the score with the labels as they are, the others are in the order of ``MOVEMENTS``; all are means over
    seeds. None if the metric is not computed from the counts of pixels at 0.5, or if a score file lacks their columns.
    """
    metric, images = query.module(), results.images
    if metric.INPUT.columns != tuple(COUNTS):
        return None
    images = images[images["dataset"].isin(datasets) & images["model"].isin(models)]
    if not set(MOVED) <= set(images) or images[MOVED].isna().any(axis=None):
        return None
    keys = CELL if query.average == "pooled" else [*CELL, {"batch_mean": "batch", "image_mean": "item"}[query.average]]
    sums = images.groupby(keys)[[*COUNTS, *MOVED]].sum()
    scores = []
    for how in (None, *MOVEMENTS):
        values = pd.Series(metric.compute(*counts_of(sums, how)), sums.index)
        of_cell = values.groupby(level=CELL).mean().groupby(level=["dataset", "model"]).mean()
        scores.append(of_cell.unstack("model").reindex(index=list(datasets), columns=list(models)).to_numpy(float))
    return np.stack(scores)


def counts_of(table: pd.DataFrame, how: str | None) -> tuple[Array, Array, Array, Array]:
    """Return tp, fp, fn and tn against the truth moved ``how``, None: as it is."""
    tp, fp, fn, tn = table[COUNTS].to_numpy(float).T
    if how is None:
        return tp, fp, fn, tn
    moved_tp, moved_fn = table[[f"tp_{how}", f"fn_{how}"]].to_numpy(float).T
    moved_fp = tp + fp - moved_tp
    return moved_tp, moved_fp, moved_fn, tp + fp + fn + tn - moved_tp - moved_fp - moved_fn


def bands(scores: Array | None, digits: int = 3) -> list[str]:
    """Return the band of each model's mean over datasets as text, from ``moved_scores``; [] without scores."""
    return [] if scores is None else [_as_text(values, digits) for values in scores.mean(1).T]


def of_differences(scores: Array, sign: int, first: int, others: Sequence[int]) -> list[str]:
    """Return the band of the mean difference between a model and each of the others; a star if it contains 0.

    Args:
        scores: as from ``moved_scores``.
        sign: 1 where higher is better, else -1.
        first: position of the model.
        others: positions of the others.
    """
    means = sign * scores.mean(1)
    found = [means[:, first] - means[:, other] for other in others]
    return [_as_text(values, 4) + (CROSSES if contains_zero(values) else "") for values in found]


def contains_zero(differences: Array) -> bool:
    """Return whether a band contains 0, so that the order depends on how the labels are drawn."""
    return bool(differences.min() <= 0 <= differences.max())


def notes(standings: Standings, results: Results, scores: Array) -> list[str]:
    """Return what the bands are, and the pairs of models whose order lies inside the band."""
    means = scores.mean(1)
    names = [results.names[m] for m in standings.models]
    pairs = [
        f"{names[i]} and {names[j]}"
        for i, j in combinations(range(len(names)), 2)
        if contains_zero(means[:, i] - means[:, j])
    ]
    if not pairs:
        return [MEANING if len(names) < 2 else f"{MEANING} No order of two models changes."]
    more = f"; and {len(pairs) - MOST_PAIRS} more" if len(pairs) > MOST_PAIRS else ""
    return [f"{MEANING} The order of these pairs lies inside the band: {'; '.join(pairs[:MOST_PAIRS])}{more}."]


def _as_text(values: Array, digits: int) -> str:
    return f"{values.min():.{digits}f} to {values.max():.{digits}f}"
