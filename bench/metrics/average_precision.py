"""Average precision: the area under the precision-recall curve of the pixels."""

import numpy as np

from bench.metrics.inputs import curve
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Average precision"
HIGHER_IS_BETTER = True
INPUT = curve("average_precision")


def compute(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return the sum of (R_t - R_(t+1)) P_t over the 256 thresholds, (..., 256) to (...).

    This is a step function: interpolation between thresholds would be optimistic.

    Range 0 to 1, higher is better; chance level is the share of crack; nan where there is no crack.

    **Source:** Davis and Goadrich 2006, doi 10.1145/1143844.1143874; same as scikit-learn's
    ``average_precision_score``.

    >>> tp, fp, fn = np.array([[2, 2, 1], [4, 2, 0], [0, 0, 1]])
    >>> float(compute(tp, fp, fn))
    0.75
    """
    tp_gain = np.array(tp, np.float64)
    tp_gain[..., :-1] -= tp[..., 1:]
    precision = tp / np.maximum(tp + fp, 1)  # where nothing is predicted, tp_gain is 0
    return ratio(np.einsum("...t,...t->...", tp_gain, precision), tp[..., 0] + fn[..., 0])
