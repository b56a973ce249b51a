"""Precision with 5 px of tolerance: the share of the predicted crack that lies near a true one."""

from bench.metrics.inputs import tolerant
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Precision, 5 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(5, "pred_hit_Npx", "tp", "fp")


def compute(pred_hit: Counts, tp: Counts, fp: Counts) -> Values:
    """Return pred_hit / (tp + fp).

    Range 0 to 1, higher is better; nan where nothing is predicted.

    **Source:** a convention in the literature on cracks, after CrackForest (Shi 2016); see ``tolerant``.

    >>> import numpy as np
    >>> float(compute(*np.array([3, 2, 2])))
    0.75
    """
    return ratio(pred_hit, tp + fp)
