"""Recall: the share of the true crack that is found."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Recall"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return tp / (tp + fn).

    Range 0 to 1, higher is better; nan where there is no crack.

    **Source:** the paper, eq. 28.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.3333333333333333
    """
    return ratio(tp, tp + fn)
