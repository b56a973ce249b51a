"""Precision with 5 px of tolerance: the share of the predicted crack that lies near a true one."""

from bench.metrics._input import tolerant
from bench.metrics._ratio import Counts, Values, ratio

NAME = "Precision, 5 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(5)


def compute(pred_hit: Counts, true_hit: Counts, tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return pred_hit / (tp + fp), elementwise.

    ``pred_hit`` are the predicted crack pixels within 5 px (Euclidean, between pixel centres) of a true one,
    ``true_hit`` the reverse. A pixel may serve as the neighbour of many: there is no one-to-one matching.

    Range 0 to 1, higher is better; nan where nothing is predicted.

    **Source:** Shi 2016, CrackForest, doi 10.1109/TITS.2016.2552248.

    >>> import numpy as np
    >>> float(compute(*np.array([3, 3, 2, 2, 3])))
    0.75
    """
    return ratio(pred_hit, tp + fp)
