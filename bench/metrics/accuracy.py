"""Accuracy: the share of pixels that are right; with 3 % of crack, finding none already gives 0.97."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Accuracy"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return (tp + tn) / (tp + fp + fn + tn).

    Range 0 to 1, higher is better; nan for no pixels at all.

    **Source:** Long, Shelhamer and Darrell 2015, Fully convolutional networks, CVPR, where it is called pixel accuracy.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.7
    """
    return ratio(tp + tn, tp + fp + fn + tn)
