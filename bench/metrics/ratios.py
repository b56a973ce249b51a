"""The ratios of counts that metrics share; all are NaN where the denominator is 0."""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Values = npt.NDArray[np.float64]


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Values:
    """Return numerator / denominator elementwise, nan where the denominator is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    values: Values = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return values


def iou(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return tp / (tp + fp + fn)."""
    return ratio(tp, tp + fp + fn)


def f1(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return 2 tp / (2 tp + fp + fn), which is 2 P R / (P + R)."""
    return ratio(2 * tp, 2 * tp + fp + fn)


def f1_of_hits(pred_hit: Counts, pred: Counts, true_hit: Counts, true: Counts) -> Values:
    """Return 2 P R / (P + R) of P = pred_hit / pred and R = true_hit / true.

    0 where both are 0 or only one is defined, NaN where neither is. As with Dice, predicting crack in an image without
    crack scores 0, and so does predicting nothing in an image with crack.
    """
    precision, recall = ratio(pred_hit, pred), ratio(true_hit, true)
    values = np.nan_to_num(ratio(2 * precision * recall, precision + recall), nan=0.0)
    return np.where(np.isnan(precision) & np.isnan(recall), np.nan, values)


def where_any(values: Values, counts: Counts) -> Values:
    """Return the values where there is any count, else NaN."""
    return np.where(counts > 0, values, np.nan)


def where_crack(values: Values, tp: Counts, fn: Counts) -> Values:
    """Return the values of curves, (...), NaN for a curve (..., T) without crack pixels."""
    return np.where((tp + fn)[..., 0] > 0, values, np.nan)
