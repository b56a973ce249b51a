"""F1 with 2 px of tolerance: the harmonic mean of the tolerant precision and recall."""

from bench.metrics._input import tolerant
from bench.metrics._ratio import Counts, Values, harmonic, ratio

NAME = "F1, 2 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(2)


def compute(pred_hit: Counts, true_hit: Counts, tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return 2 P R / (P + R) of the tolerant precision and recall, elementwise.

    ``pred_hit`` are the predicted crack pixels within 2 px (Euclidean, between pixel centres) of a true one,
    ``true_hit`` the reverse. A pixel may serve as the neighbour of many: there is no one-to-one matching.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack, 0 where only one of them has.

    **Source:** Zou 2012, CrackTree, doi 10.1016/j.patrec.2011.11.004.

    >>> import numpy as np
    >>> round(float(compute(*np.array([3, 3, 2, 2, 3]))), 4)
    0.6667
    """
    return harmonic(ratio(pred_hit, tp + fp), ratio(true_hit, tp + fn))
