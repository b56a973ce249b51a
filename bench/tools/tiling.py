"""Predict an image of any size from overlapping tiles."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Prob = npt.NDArray[np.float32]
T = TypeVar("T")


def tiled(
    predict: Callable[[Image], Prob], image: Image, tile: int, overlap: float, batch: int = 1,
    pool: ThreadPoolExecutor | None = None,
) -> Prob:  # fmt: skip
    """Return the probability of crack of an image of any size, (H, W), from overlapping tiles.

    Overlapping tiles are averaged with pyramid weights, which fall off towards the edges of a tile, where a network has
    the least context. Images smaller than a tile are padded by reflection.

    Args:
        predict: RGB (B, tile, tile, 3) -> probability (B, tile, tile).
        image: RGB, (H, W, 3).
        tile: side of a tile, px.
        overlap: overlap of neighbouring tiles, as a fraction of the side, 0 to below 1.
        batch: tiles in one call of ``predict``; memory grows with it and with the threads, and not with the image.
        pool: threads that call ``predict``; None: this one.
    """
    height, width = image.shape[:2]
    below, right = max(0, tile - height), max(0, tile - width)
    padded = np.pad(image, ((0, below), (0, right), (0, 0)), mode="symmetric") if below or right else image
    ramp = np.minimum(np.arange(1, tile + 1), np.arange(tile, 0, -1)).astype(np.float32)
    weight = np.minimum(ramp[:, None], ramp)
    total, weights = np.zeros(padded.shape[:2], np.float32), np.zeros(padded.shape[:2], np.float32)
    corners = _corners(padded.shape[0], padded.shape[1], tile, overlap)
    places = [np.s_[top : top + tile, left : left + tile] for top, left in corners]
    parts = [places[start : start + batch] for start in range(0, len(places), batch)]
    predicted = ahead(lambda part: predict(np.stack([padded[place] for place in part])), parts, pool)
    for part, probs in zip(parts, predicted, strict=True):
        for place, prob in zip(part, probs, strict=True):
            total[place] += weight * prob
            weights[place] += weight
    return np.asarray((total / weights)[:height, :width], np.float32)


def ahead(function: Callable[[Any], T], items: Sequence[Any], pool: ThreadPoolExecutor | None) -> Iterator[T]:
    """Yield the result of each item in order; the pool works ahead, by two for each thread at most."""
    if pool is None:
        yield from map(function, items)
        return
    waiting: deque[Future[T]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= 2 * pool._max_workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def squeezed(predict: Callable[[Image], Prob], image: Image, side: int) -> Prob:
    """Return the probability of crack of an image of any size, (H, W), resized to a square as in training.

    Args:
        predict: RGB (1, side, side, 3) -> probability (1, side, side).
        image: RGB, (H, W, 3).
        side: of the square, px.
    """
    height, width = image.shape[:2]
    shrinks = side <= min(height, width)
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    prob = predict(np.asarray(small, np.uint8)[None])[0]
    return np.asarray(cv2.resize(prob, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _corners(height: int, width: int, tile: int, overlap: float) -> list[tuple[int, int]]:
    """Return top and left of tiles that cover the image, the last ones flush with its edges."""
    step = max(1, round(tile * (1 - overlap)))
    tops, lefts = ([*range(0, size - tile, step), size - tile] for size in (height, width))
    return [(top, left) for top in tops for left in lefts]
