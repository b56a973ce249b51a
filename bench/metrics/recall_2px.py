"""Recall with 2 px of tolerance: the share of the true crack that lies near a predicted one."""

from bench.metrics.inputs import tolerant
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Recall, 2 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(2, "true_hit_Npx", "tp", "fn")


def compute(true_hit: Counts, tp: Counts, fn: Counts) -> Values:
    """Return true_hit / (tp + fn).

    Range 0 to 1, higher is better; nan where there is no crack.

    **Source:** a convention in the literature on cracks, after CrackTree (Zou 2012); see ``tolerant``.

    >>> import numpy as np
    >>> float(compute(*np.array([3, 2, 3])))
    0.6
    """
    return ratio(true_hit, tp + fn)
