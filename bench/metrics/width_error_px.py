"""Width error: by how much the mean widths of the predicted and of the true cracks differ."""

import numpy as np

from bench.metrics.inputs import OF_IMAGE, Input
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Mean width error, px"
HIGHER_IS_BETTER = False
INPUT = Input(("tp", "fp", "fn", "length_pred", "length_true"), undefined=OF_IMAGE)


def compute(tp: Counts, fp: Counts, fn: Counts, length_pred: Counts, length_true: Counts) -> Values:
    """Return |mean width of the prediction - mean width of the truth|, px; the mean width is area divided by length.

    Range 0 to infinity, lower is better; nan where one of the two has no crack.

    **Source:** a number of engineers, without formal definition.

    >>> compute(*np.array([[40.0], [20.0], [0.0], [10.0], [10.0]])).tolist()
    [2.0]
    """
    return np.abs(ratio(tp + fp, length_pred) - ratio(tp + fn, length_true))
