"""Class average accuracy: the mean of the recall of crack and of background."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Class average accuracy"
HIGHER_IS_BETTER = True
INPUT = COUNTS


def compute(tp: Counts, fp: Counts, fn: Counts, tn: Counts) -> Values:
    """Return (tp / (tp + fn) + tn / (tn + fp)) / 2, elementwise.

    Range 0 to 1, higher is better; finding nothing gives 0.5, whatever the crack share; nan where a class is missing.

    **Source:** Long, Shelhamer and Darrell 2015, Fully convolutional networks, CVPR (mean accuracy); Liu 2019,
    DeepCrack, doi 10.1016/j.neucom.2019.01.036, reports it.

    >>> import numpy as np
    >>> float(compute(*np.array([1, 1, 3, 3])))
    0.5
    """
    return (ratio(tp, tp + fn) + ratio(tn, tn + fp)) / 2
