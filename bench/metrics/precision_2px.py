"""Precision with 2 px of tolerance: the share of the predicted crack that lies near a true one."""

from bench.metrics._input import tolerant
from bench.metrics._ratio import Counts, Values, ratio

NAME = "Precision, 2 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(2)


def compute(pred_hit: Counts, true_hit: Counts, tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return pred_hit / (tp + fp), elementwise.

    ``pred_hit`` are the predicted crack pixels within 2 px (Euclidean, between pixel centres) of a true one,
    ``true_hit`` the reverse. A pixel may serve as the neighbour of many: there is no one-to-one matching.

    Range 0 to 1, higher is better; nan where nothing is predicted.

    **Source:** Zou 2012, CrackTree, doi 10.1016/j.patrec.2011.11.004.

    >>> import numpy as np
    >>> float(compute(*np.array([3, 3, 2, 2, 3])))
    0.75
    """
    return ratio(pred_hit, tp + fp)
