"""Count the pixels of one image against labels that are off by one pixel: wider, narrower, or shifted."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
"""A pixel and its four neighbours: what lies within 1 px (Euclidean)."""

SHIFTS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def count_moved_labels(pred: Mask, true: Mask, skeleton_true: Mask, known: Mask | None) -> dict[str, float]:
    """Return the columns ``scores.MOVED`` of one image: tp_HOW and fn_HOW against the truth moved HOW.

    fp and tn follow, since what is predicted and the number of pixels stay: fp_HOW = tp + fp - tp_HOW.

    Args:
        pred: predicted crack, (H, W).
        true: crack, (H, W).
        skeleton_true: its skeleton, (H, W).
        known: pixels that count, (H, W); where they do not, ``pred`` and ``true`` are 0. None: all.
    """
    values: dict[str, float] = {}
    for how, moved in moved_labels(true, skeleton_true, known):
        tp = int(np.count_nonzero(pred & moved))
        values |= {f"tp_{how}": tp, f"fn_{how}": int(np.count_nonzero(moved)) - tp}
    return values


def moved_labels(true: Mask, skeleton: Mask, known: Mask | None) -> Iterator[tuple[str, Mask]]:
    """Yield the name of each movement and the moved truth, (H, W).

    "dilated" and "eroded" add and take the pixels within 1 px (Euclidean) of the contour, so that a crack is 2 px
    wider or narrower; "up", "down", "left" and "right" shift by 1 px. Erosion keeps the skeleton, since a label too
    wide by a pixel does not mean that there is no crack. Ignored pixels stay ignored, and what lies there or outside
    the image is unknown: it neither erodes nor moves into the image, where a pixel keeps its label instead.
    """
    grown, unknown = np.asarray(cv2.dilate(true.astype(np.uint8), CROSS)) > 0, None if known is None else ~known
    yield "dilated", grown if known is None else grown & known
    solid = true if unknown is None else true | unknown
    yield "eroded", true & (np.asarray(cv2.erode(solid.astype(np.uint8), CROSS)) > 0) | skeleton
    for how, (down, right) in SHIFTS.items():
        yield how, _shifted(true, known, down, right)


def _shifted(true: Mask, known: Mask | None, down: int, right: int) -> Mask:
    """Return the truth moved by one pixel; pixels whose new label is unknown keep theirs."""
    height, width = true.shape
    to = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    of = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    moved = true.copy()
    moved[to] = true[of] if known is None else np.where(known[of], true[of], true[to]) & known[to]
    return moved
