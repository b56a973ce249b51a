"""Specificity: the share of the background that is predicted as background."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Specificity"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return tn / (tn + fp).

    Range 0 to 1, higher is better; nan where there is no background.

    **Source:** Yerushalmy 1947, doi 10.2307/4586294.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 2, 6])))
    0.8571428571428571
    """
    return ratio(tn, tn + fp)
