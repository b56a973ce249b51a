"""Precision: the share of the predicted crack that is true crack."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Precision"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return tp / (tp + fp).

    Range 0 to 1, higher is better; nan where nothing is predicted.

    **Source:** the paper, eq. 27.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.5
    """
    return ratio(tp, tp + fp)
