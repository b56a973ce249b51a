"""Cut images into square tiles at native scale, and put the tiles of an image together again."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from bench.formats.prepared import IGNORED

Array = npt.NDArray[np.uint8]
Place = tuple[int, int]
"""Top and left of a tile in its image, px."""


def tile_places(height: int, width: int, side: int, stride: int) -> list[Place]:
    """Return the places of the tiles that cover an image, row by row; the last ones end at its lower and right edge.

    Args:
        height: of the image, px.
        width: of the image, px.
        side: of a tile, px.
        stride: from a tile to the next, px; less than ``side`` lets neighbours overlap.

    >>> tile_places(128, 300, 128, 128)
    [(0, 0), (0, 128), (0, 172)]
    >>> tile_places(100, 90, 128, 128)
    [(0, 0)]
    """
    return [(top, left) for top in _starts(height, side, stride) for left in _starts(width, side, stride)]


def _starts(length: int, side: int, stride: int) -> list[int]:
    """Return where tiles start along an axis."""
    last = max(length - side, 0)
    return [*range(0, last, stride), last]


def cut(image: Array, labels: Array, place: Place, side: int) -> tuple[Array, Array]:
    """Return a tile of an image (H, W, 3) and of its labels (H, W).

    Where the image is smaller than the tile, the image is mirrored at its edge, and the labels are ignored.
    """
    top, left = place
    part, known = image[top : top + side, left : left + side], labels[top : top + side, left : left + side]
    below, right = side - part.shape[0], side - part.shape[1]
    if below or right:
        part = np.asarray(cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REFLECT), np.uint8)
        known = np.pad(known, ((0, below), (0, right)), constant_values=IGNORED)
    return np.ascontiguousarray(part), np.ascontiguousarray(known)


def ignore_covered(labels: Array, places: Sequence[Place], number: int) -> Array:
    """Return the labels of tile ``number`` with the pixels ignored that an earlier tile of the image covers.

    So each pixel of an image counts once, whatever the overlap.
    """
    labels = labels.copy()
    (top, left), side = places[number], labels.shape[0]
    for other_top, other_left in places[:number]:
        rows = slice(max(other_top - top, 0), max(other_top + side - top, 0))
        columns = slice(max(other_left - left, 0), max(other_left + side - left, 0))
        labels[rows, columns] = IGNORED
    return labels


def stitch(tiles: Sequence[Array], places: Sequence[Place], height: int, width: int) -> Array:
    """Return the image (height, width, ...) of tiles (side, side, ...); where they overlap, the first one counts.

    >>> tiles = [np.full((2, 2), value, np.uint8) for value in (1, 2)]
    >>> stitch(tiles, [(0, 0), (0, 1)], 2, 3).tolist()
    [[1, 1, 2], [1, 1, 2]]
    """
    whole = np.zeros((height, width, *tiles[0].shape[2:]), np.uint8)
    for tile, (top, left) in reversed(list(zip(tiles, places, strict=True))):
        part = tile[: height - top, : width - left]
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return whole
