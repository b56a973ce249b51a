"""Measure the cracks in a mask: area, length and mean width."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize


@dataclass(frozen=True)
class CrackSize:
    """Size of all cracks in a mask.

    Attributes:
        share: crack pixels, as a share of all, 0 to 1.
        length_px: length of the centreline.
        mean_width_px: area divided by length; NaN without crack.
    """

    share: float
    length_px: float
    mean_width_px: float


def measure_cracks(mask: npt.NDArray[np.bool_]) -> CrackSize:
    """Return the size of the cracks in a mask (H, W).

    The length is that of the skeleton: 1 px for a step to a neighbour beside or below, sqrt(2) for a diagonal step that
    no such pair of steps bypasses, and 1 px for each connected piece, which has one pixel more than steps.

    >>> measure_cracks(np.pad(np.ones((1, 10), bool), 2)).length_px
    10.0
    """
    area = int(mask.sum())
    if not area:
        return CrackSize(0.0, 0.0, float("nan"))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    length = length_px(skeletonize(part))  # type: ignore[no-untyped-call]
    return CrackSize(area / mask.size, length, area / length)


def length_px(skeleton: npt.NDArray[np.bool_]) -> float:
    """Return the length of a skeleton (H, W), px, see ``measure_cracks``; 0 if it is empty."""
    skeleton = np.pad(skeleton, 1).astype(np.bool_)
    beside, below = skeleton[:, :-1] & skeleton[:, 1:], skeleton[:-1] & skeleton[1:]
    falling = skeleton[:-1, :-1] & skeleton[1:, 1:] & ~skeleton[:-1, 1:] & ~skeleton[1:, :-1]
    rising = skeleton[:-1, 1:] & skeleton[1:, :-1] & ~skeleton[:-1, :-1] & ~skeleton[1:, 1:]
    pieces = cv2.connectedComponents(skeleton.astype(np.uint8), connectivity=8)[0] - 1
    straight, diagonal = int(beside.sum()) + int(below.sum()), int(falling.sum()) + int(rising.sum())
    return float(straight + 2**0.5 * diagonal + pieces)
