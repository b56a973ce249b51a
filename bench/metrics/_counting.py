"""Counts of one image that all metrics are made of: by threshold, with tolerance, along the centreline."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

Levels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

HALF = 128
"""Level floor(256 p) at which p = 0.5."""


def threshold_counts(levels: Levels, true: Mask) -> npt.NDArray[np.int64]:
    """Return tp, fp and fn at ``levels >= t`` for t = 0..255, (256, 3), from two histograms instead of 256 comparisons.

    Args:
        levels: floor(256 p), (H, W).
        true: crack, (H, W).

    >>> counts = threshold_counts(np.array([[0, 200]], np.uint8), np.array([[False, True]]))
    >>> counts[[0, 128, 201]].tolist()
    [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    """
    crack, rest = (np.bincount(levels[where], minlength=256) for where in (true, ~true))
    tp, fp = (histogram[::-1].cumsum()[::-1] for histogram in (crack, rest))
    return np.stack([tp, fp, crack.sum() - tp], axis=1)


def best_f1(counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the lowest threshold with the highest F1, and that F1; nan, nan where there is no crack.

    Args:
        counts: from ``threshold_counts``.
    """
    tp, fp, fn = counts.T.astype(np.float64)
    if tp[0] == 0:
        return float("nan"), float("nan")
    f1 = 2 * tp / (2 * tp + fp + fn)
    return float(f1.argmax()), float(f1.max())


def tolerant_hits(pred: Mask, true: Mask, tolerances_px: Sequence[float]) -> list[tuple[int, int]]:
    """Return for each tolerance how many pixels of ``pred`` lie within it of ``true``, and the reverse.

    Distances are Euclidean between pixel centres, px; near an empty mask nothing lies.
    """
    to_true, to_pred = _distance_px(true), _distance_px(pred)
    return [(int((to_true[pred] <= t).sum()), int((to_pred[true] <= t).sum())) for t in tolerances_px]


def skeleton_hits(pred: Mask, true: Mask) -> tuple[int, int, int, int]:
    """Return the pixels of the skeleton of ``pred``, those of them inside ``true``, and the reverse two.

    **Source:** Shit 2021, clDice, doi 10.1109/CVPR46437.2021.01629; the skeleton is that of Zhang 1984.
    """
    of_pred, of_true = skeletonize(pred), skeletonize(true)  # type: ignore[no-untyped-call]
    return int(of_pred.sum()), int((of_pred & true).sum()), int(of_true.sum()), int((of_true & pred).sum())


def _distance_px(mask: Mask) -> npt.NDArray[np.float32]:
    """Return the distance of each pixel to the nearest one of ``mask``, infinity if it is empty."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)
