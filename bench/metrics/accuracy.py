"""Accuracy: the share of correct pixels; with 3 % crack pixels, predicting no crack already gives 0.97."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Accuracy"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return (tp + tn) / (tp + fp + fn + tn).

    Range 0 to 1, higher is better; nan without pixels.

    **Source:** Long, Shelhamer and Darrell 2015, Fully convolutional networks, CVPR (there called pixel accuracy).

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.7
    """
    return ratio(tp + tn, tp + fp + fn + tn)
