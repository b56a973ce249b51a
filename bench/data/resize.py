"""Squeeze an image and its labels to a square."""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from bench.formats.prepared import IGNORED

Array = npt.NDArray[np.uint8]
MaskResize = Literal["nearest", "any"]


def resize(image: Array, labels: Array, size: int, how: MaskResize = "nearest") -> tuple[Array, Array]:
    """Return image and labels at ``size`` x ``size`` px.

    Images are resampled by area when they shrink and linearly when they grow, labels as ``how`` says.

    Args:
        image: (H, W, 3).
        labels: (H, W), class of each pixel, 255 where ignored.
        size: side, px.
        how: "nearest" takes the label at the middle of each new pixel, so that thin cracks break; "any" takes the most
            frequent class, other than background, of the pixels whose middles lie in the new pixel: where the labels
            shrink, what was connected stays connected.
    """
    enlarges = size > min(image.shape[:2])
    resized = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR if enlarges else cv2.INTER_AREA)
    scaled = _any(labels, size) if how == "any" else _nearest(labels, (size, size))
    return np.asarray(resized, np.uint8), scaled


def _nearest(labels: Array, shape: tuple[int, int]) -> Array:
    return np.asarray(cv2.resize(labels, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _any(labels: Array, size: int) -> Array:
    """Return the most frequent class other than background in each new pixel; ignored only where there is none."""
    grown = _nearest(labels, (max(labels.shape[0], size), max(labels.shape[1], size)))
    rows, columns = ((2 * np.arange(side) + 1) * size // (2 * side) for side in grown.shape)
    place = rows[:, None] * size + columns  # of each pixel's middle
    result, most = np.zeros(size * size, np.uint8), np.zeros(size * size, np.int64)
    for value in np.unique(grown):
        if value in (0, IGNORED):
            continue
        number = np.bincount(place[grown == value], minlength=size * size)
        wins = number > most
        result[wins], most[wins] = value, number[wins]
    ignored = _nearest((labels == IGNORED).astype(np.uint8), (size, size)).ravel() > 0
    result[ignored & (result == 0)] = IGNORED
    return result.reshape(size, size)
