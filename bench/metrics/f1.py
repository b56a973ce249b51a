"""F1: the harmonic mean of precision and recall; the same number as Dice."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, f1

NAME = "F1"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return 2 P R / (P + R).

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** van Rijsbergen 1979; the paper, Section 4.3.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.4
    """
    return f1(tp, fp, fn)
