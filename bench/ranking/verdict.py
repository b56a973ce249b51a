"""The verdict of a comparison: whether one model is ahead of another, and on what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.ranking.standings import Standings, independent, merged
from bench.stats.paired import holm, wilcoxon
from bench.stats.simultaneous import simultaneous

ALPHA = 0.05

FEW_DATASETS = 6
"""With fewer, Wilcoxon's p cannot fall below 0.05 (2 / 2**5 = 0.0625): no claim about other datasets is possible."""

COVERAGE = {3: 0.949, 5: 0.940, 8: 0.912, 12: 0.891, 24: 0.919, 50: 0.924}
"""Source images of a dataset -> how often its 95 % interval held, the lower of both simulations in
benchmarks/verdicts.json. With fewer images than the least number no outcome is claimed."""


@dataclass(frozen=True)
class Verdict:
    """What can be said about the difference of a model and its rival.

    Attributes:
        claim: "ahead", "behind" or "none"; "unknown" if the metric is undefined in some resamples, or if no
            dataset has as many source images as the least number in ``COVERAGE``.
        scope: of the claim: "images" (new source images of these datasets) or "datasets" (new datasets too).
        difference: mean over the datasets; positive where the model is better.
        low: lower end of its interval, which holds for all compared models at once.
        high: upper end.
        p: Wilcoxon's p over independent datasets, Holm-corrected for all compared models.
    """

    claim: Literal["ahead", "behind", "none", "unknown"]
    scope: Literal["images", "datasets"]
    difference: float
    low: float
    high: float
    p: float


def coverage(images: int) -> float:
    """Return how often intervals from so many source images held when simulated, in [0, 1]; NaN if too few.

    >>> coverage(13), coverage(2)
    (0.891, nan)
    """
    return COVERAGE[max(number for number in COVERAGE if number <= images)] if images >= min(COVERAGE) else float("nan")


def differences(standings: Standings, model: str, others: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return model minus each other one, positive where it is better: values (D, K) and draws (R, D, K)."""
    i, chosen = standings.models.index(model), [standings.models.index(m) for m in others]
    values, draws = standings.sign * standings.values, standings.sign * standings.draws
    return values[:, [i]] - values[:, chosen], draws[..., [i]] - draws[..., chosen]


def decide(standings: Standings, model: str, rival: str, compared: Sequence[str]) -> Verdict:
    """Return the verdict on a model and its rival.

    Args:
        standings: of all models.
        model: id.
        rival: id, one of ``compared``.
        compared: the models among which the rival was chosen by these scores, or only the rival if it was named
            beforehand: intervals and p are corrected for their number.
    """
    values, draws = differences(standings, model, compared)
    number = list(compared).index(rival)
    low, high = (ends[number] for ends in simultaneous(values, draws, standings.source_images))
    p = float(holm([wilcoxon(column) for column in merged(values, standings.datasets).T])[number])
    few = independent(standings.datasets) < FEW_DATASETS
    scope: Literal["images", "datasets"] = "images" if few or p > ALPHA else "datasets"
    claim: Literal["ahead", "behind", "none", "unknown"] = "ahead" if low > 0 else "behind" if high < 0 else "none"
    if not np.isfinite([low, high]).all() or standings.source_images.max() < min(COVERAGE):
        claim = "unknown"
    return Verdict(claim, scope, float(values[:, number].mean()), float(low), float(high), p)


def sentence(verdict: Verdict, standings: Standings, names: tuple[str, str], compared: int) -> str:
    """Return a verdict in words; ``names`` are those of the model and its rival."""
    datasets = f"{len(standings.datasets)} dataset" + "s" * (len(standings.datasets) > 1)
    level = "95 % interval" if compared == 1 else f"95 % interval for {compared} comparisons"
    facts = f"mean difference {verdict.difference:+.4f}, {level} {verdict.low:+.4f} to {verdict.high:+.4f}"
    if verdict.claim == "unknown":
        return (
            f"Verdict: {names[0]} and {names[1]} cannot be compared: the metric is undefined in some resamples, "
            "histograms.npz is empty, a dataset has a single source image for testing, or none has "
            f"{min(COVERAGE)} of them."
        )
    if verdict.claim == "none":
        return f"Verdict: {names[0]} is not distinguishable from {names[1]} on {datasets} ({facts})."
    corrected = f" after correction for {compared} comparisons" if compared > 1 else ""
    side = "ahead of" if verdict.claim == "ahead" else "behind"
    if independent(standings.datasets) < FEW_DATASETS:
        return (
            f"Verdict: {names[0]} is {side} {names[1]} on new source images of {datasets} ({facts}); "
            "these are too few datasets for a claim about others."
        )
    if verdict.scope == "images":
        return (
            f"Verdict: {names[0]} is not distinguishable from {names[1]} over datasets (Wilcoxon p {verdict.p:.2g}"
            f"{corrected}), though {side} it on new source images of these ({facts})."
        )
    return f"Verdict: {names[0]} is {side} {names[1]} ({facts}; Wilcoxon p {verdict.p:.2g}{corrected})."
