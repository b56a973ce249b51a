"""Histograms of the pixels of an image by probability level; counts at all thresholds follow from them."""

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.float64]


def histogram(levels: Levels, true: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the number of crack pixels, then of background pixels, at each level, (2, 256).

    Args:
        levels: floor(256 p), (H, W).
        true: crack, (H, W).
    """
    return np.bincount((levels + 256 * (1 - true.astype(np.uint16))).ravel(), minlength=512).reshape(2, 256)


def curves(histograms: npt.ArrayLike) -> tuple[Counts, Counts, Counts]:
    """Return tp, fp and fn at ``levels >= t`` for t = 0..255, (..., 256) each, from histograms (..., 2, 256).

    >>> counts = curves(histogram(np.array([[0, 200]], np.uint8), np.array([[False, True]])))
    >>> np.stack(counts, 1)[[0, 128, 201]].tolist()
    [[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    above = np.cumsum(np.asarray(histograms, np.float64)[..., ::-1], -1)[..., ::-1]
    tp, fp = above[..., 0, :], above[..., 1, :]
    return tp, fp, tp[..., :1] - tp
