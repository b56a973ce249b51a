"""The gap between two pooled scores: the images that make it up, and whether it lies within the spread of the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

RATIOS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "crack_iou": ((1, 0, 0), (1, 1, 1)),
    "dice": ((2, 0, 0), (2, 1, 1)),
    "precision": ((1, 0, 0), (1, 1, 0)),
    "recall": ((1, 0, 0), (1, 0, 1)),
}
"""Metric -> weights of tp, fp, fn in its numerator and in its denominator."""

ROUNDING = 1e-12
"""Smaller parts of a gap are errors of float64 sums."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gap:
    """How two scores differ.

    Attributes:
        a: pooled score of each seed of the first.
        b: likewise of the second.
        images: one row per image, the largest part of the gap first: item, tp, fp, fn of both (means over the seeds;
            NaN if the image is on one side only) and ``part``; the parts sum to the gap.
    """

    a: Array
    b: Array
    images: pd.DataFrame

    @property
    def value(self) -> float:
        """Mean over the seeds of the first minus that of the second."""
        return float(self.a.mean() - self.b.mean())

    @property
    def spread(self) -> float:
        """Largest gap that other seeds alone explain; NaN if neither side has two seeds, so that nobody knows."""
        return seed_spread(self.a, self.b)


def gap(a: pd.DataFrame, b: pd.DataFrame, metric: str = "crack_iou") -> Gap:
    """Return the gap between the pooled scores of two models on one dataset.

    Args:
        a: rows of images.csv of one model on one dataset, all seeds.
        b: likewise.
        metric: a key of ``RATIOS``.
    """
    items = sorted({*a["item"], *b["item"]})
    counts = [_counts(frame, items) for frame in (a, b)]
    weights = [np.array(part, float) for part in RATIOS[metric]]
    tops, bottoms = ([np.nan_to_num(c) @ w for c in counts] for w in weights)
    scores = [_ratio(top.sum(1), bottom.sum(1)) for top, bottom in zip(tops, bottoms, strict=True)]
    frame = pd.DataFrame({"item": items, "part": _parts(tops, bottoms)})
    for side, c in zip("ab", counts, strict=True):
        for name, column in zip(("tp", "fp", "fn"), c.mean(0).T, strict=True):
            frame[f"{name}_{side}"] = column
    order = frame["part"].abs().sort_values(ascending=False, kind="stable").index
    return Gap(scores[0], scores[1], frame.loc[order].reset_index(drop=True))


def _counts(frame: pd.DataFrame, items: Sequence[str]) -> Array:
    """Return tp, fp, fn of each seed and item, (S, N, 3); NaN where a seed lacks an item."""
    seeds = sorted(frame["seed"].unique())
    indexed = frame.set_index(["seed", "item"])[["tp", "fp", "fn"]].astype(float)
    wanted = pd.MultiIndex.from_product([seeds, items])
    return np.asarray(indexed.reindex(wanted).to_numpy().reshape(len(seeds), len(items), 3), float)


def _ratio(top: Array, bottom: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(top / bottom)


def _parts(tops: Sequence[Array], bottoms: Sequence[Array]) -> Array:
    """Return the part of each image in the gap of two pooled ratios, (N,); their sum is the gap, exactly.

    With pooled ratios P/Q and R/S, P/Q - R/S = (P - R) (1/Q + 1/S) / 2 - (Q - S) (P + R) / (2 Q S): both differences
    are sums over images. The mean is taken over all pairs of a seed of one side and one of the other.
    """
    total = np.zeros(tops[0].shape[1])
    pairs = [(i, j) for i in range(len(tops[0])) for j in range(len(tops[1]))]
    for i, j in pairs:
        top, bottom, other_top, other_bottom = tops[0][i], bottoms[0][i], tops[1][j], bottoms[1][j]
        p, q, r, s = top.sum(), bottom.sum(), other_top.sum(), other_bottom.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            mean_inverse, slope = (1 / q + 1 / s) / 2, (p + r) / (2 * q * s)
            total += (top - other_top) * mean_inverse - (bottom - other_bottom) * slope
    mean = total / len(pairs)
    return np.where(np.abs(mean) < ROUNDING, 0.0, mean)


def seed_spread(a: Sequence[float] | Array, b: Sequence[float] | Array) -> float:
    """Return half the 95 % interval of a difference of two means over seeds, from their pooled variance.

    NaN if neither side has two seeds. A side with one seed is taken to spread like the other.

    **Source:** Student 1908, The probable error of a mean, Biometrika 6(1): the two-sample t interval.

    >>> round(seed_spread([0.50, 0.51, 0.52], [0.50]), 4)  # 4.3027 x 0.01 x sqrt(1/3 + 1)
    0.0497
    >>> seed_spread([0.5], [0.6])
    nan
    """
    sides = [np.asarray(side, float) for side in (a, b)]
    freedom = sum(len(side) - 1 for side in sides)
    if freedom == 0:
        return float("nan")
    variance = sum(((side - side.mean()) ** 2).sum() for side in sides) / freedom
    return float(special.stdtrit(freedom, 0.975) * np.sqrt(variance * sum(1 / len(side) for side in sides)))


def images_for(parts: Sequence[float] | Array, share: float = 0.8) -> int:
    """Return how many images, the largest parts in the direction of the gap first, make up a share of it.

    >>> images_for([0.05, -0.02, 0.03, 0.01])  # of 0.07: 0.05, then 0.08
    2
    """
    values = np.asarray(parts, float)
    whole = values.sum()
    if abs(whole) < ROUNDING:
        return 0
    towards = np.sort(values[values * whole > 0] * np.sign(whole))[::-1]
    return int(np.searchsorted(towards.cumsum(), share * abs(whole)) + 1)
