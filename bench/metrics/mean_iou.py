"""Two-class mIoU: the mean of the IoU of crack and of background."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, iou

NAME = "Two-class mIoU"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return (tp / (tp + fp + fn) + tn / (tn + fp + fn)) / 2.

    Range 0 to 1, higher is better; nan where a class occurs in neither truth nor prediction.

    **Source:** Long, Shelhamer and Darrell 2015, Fully convolutional networks, CVPR; the usual meaning of mIoU.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.4583333333333333
    """
    return (iou(tp, fp, fn) + iou(tn, fn, fp)) / 2
