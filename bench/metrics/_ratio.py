"""Division of counts with one rule for the empty case."""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Values = npt.NDArray[np.float64]


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Values:
    """Return numerator / denominator elementwise, nan where the denominator is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    values: Values = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return values


def harmonic(precision: Values, recall: Values) -> Values:
    """Return 2 P R / (P + R); 0 where both are 0 or only one is defined, nan where neither is.

    So a mask predicted where there is no crack, or none where there is, scores 0, as with Dice.
    """
    values = np.nan_to_num(ratio(2 * precision * recall, precision + recall), nan=0.0)
    return np.where(np.isnan(precision) & np.isnan(recall), np.nan, values)
