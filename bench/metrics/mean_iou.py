"""Two-class mIoU: the mean of the IoU of crack and of background."""

from bench.metrics._input import COUNTS
from bench.metrics._ratio import Counts, Values, ratio

NAME = "Two-class mIoU"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return (tp / (tp + fp + fn) + tn / (tn + fp + fn)) / 2, elementwise over arrays of pixel counts of one shape.

    Range 0 to 1, higher is better; nan where one of the two classes is in neither truth nor prediction.

    **Source:** Everingham 2010, doi 10.1007/s11263-009-0275-4; what mIoU means elsewhere.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.4583333333333333
    """
    return (ratio(tp, tp + fp + fn) + ratio(tn, tn + fp + fn)) / 2
