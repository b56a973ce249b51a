"""Crack IoU: intersection over union of the crack class."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, iou

NAME = "Crack IoU"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return tp / (tp + fp + fn).

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** Jaccard 1912; the paper, eq. 25, which reports it in its "mIoU" columns.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.25
    """
    return iou(tp, fp, fn)
