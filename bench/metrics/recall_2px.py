"""Recall with 2 px of tolerance: the share of the true crack that lies near a predicted one."""

from bench.metrics._input import tolerant
from bench.metrics._ratio import Counts, Values, ratio

NAME = "Recall, 2 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(2)


def compute(pred_hit: Counts, true_hit: Counts, tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return true_hit / (tp + fn), elementwise.

    ``pred_hit`` are the predicted crack pixels within 2 px (Euclidean, between pixel centres) of a true one,
    ``true_hit`` the reverse. A pixel may serve as the neighbour of many: there is no one-to-one matching.

    Range 0 to 1, higher is better; nan where there is no crack.

    **Source:** Zou 2012, CrackTree, doi 10.1016/j.patrec.2011.11.004.

    >>> import numpy as np
    >>> float(compute(*np.array([3, 3, 2, 2, 3])))
    0.6
    """
    return ratio(true_hit, tp + fn)
