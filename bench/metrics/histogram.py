"""Histograms of the pixels of an image by probability level; counts at all thresholds follow from them."""

import numpy as np
import numpy.typing as npt

from bench.metrics import aiu
from bench.metrics.ratios import f1, iou

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


def at_best_threshold(histograms: npt.ArrayLike) -> dict[str, Counts]:
    """Return the columns of images at the thresholds chosen for them, (N,) each, from histograms (N, 2, 256).

    best_threshold: the lowest level t of 1..255 at which ``level >= t`` has the highest F1; best_f1: that F1; both NaN
    without crack. best_tp, best_fp, best_fn: the counts there; without crack those at t = 255. aiu_all_images: AIU, 0
    without crack. All are NaN where a histogram is empty, which means that it was not recorded.
    """
    tp, fp, fn = curves(histograms)
    has_crack, recorded = tp[:, 0] > 0, tp[:, 0] + fp[:, 0] > 0
    values = f1(tp, fp, fn)[:, 1:]
    best = np.where(has_crack, np.argmax(values, 1) + 1, 255)
    rows = np.arange(len(best))
    columns = {"best_threshold": np.where(has_crack, best, np.nan)}
    columns |= {"best_f1": np.where(has_crack, values[rows, best - 1], np.nan)}
    columns |= {f"best_{name}": counts[rows, best] for name, counts in (("tp", tp), ("fp", fp), ("fn", fn))}
    columns |= {"aiu_all_images": np.nan_to_num(aiu.compute(tp, fp, fn))}
    return {name: np.where(recorded, column, np.nan) for name, column in columns.items()}


def miou_curves(histograms: npt.ArrayLike) -> Counts:
    """Return the mean of the IoU of crack and background at the thresholds 0..255, (..., 256).

    0 where there is no crack and none is predicted; otherwise, a class that neither of them has counts as 0.
    """
    tp, fp, fn = curves(histograms)
    tn = fp[..., :1] - fp
    both = np.nan_to_num(iou(tp, fp, fn)) + np.nan_to_num(iou(tn, fp, fn))
    return np.where(tp + fp + fn > 0, both / 2, 0.0)
