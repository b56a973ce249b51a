"""Dice: twice the overlap over the sum of both areas; the same number as F1."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, f1

NAME = "Dice"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return 2 tp / (2 tp + fp + fn), which equals 2 P R / (P + R) of precision P and recall R.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** Dice 1945, doi 10.2307/1932409; the paper, eq. 26.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.4
    """
    return f1(tp, fp, fn)
