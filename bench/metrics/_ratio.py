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
