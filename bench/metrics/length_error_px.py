"""Length error: by how much the lengths of the predicted and of the true cracks differ."""

import numpy as np

from bench.metrics.inputs import OF_IMAGE, Input
from bench.metrics.ratios import Counts, Values, where_any

NAME = "Length error, px"
HIGHER_IS_BETTER = False
INPUT = Input(("length_pred", "length_true"), undefined=OF_IMAGE)


def compute(pred: Counts, true: Counts) -> Values:
    """Return |length of the prediction - length of the truth| of all cracks of an image, px, elementwise.

    Range 0 to infinity, lower is better; nan where neither has crack. Right lengths do not need right places.

    **Source:** a number of engineers, without formal definition; length of the skeleton with diagonal steps as sqrt(2).

    >>> compute(np.array([30.0, 0.0]), np.array([40.0, 0.0])).tolist()
    [10.0, nan]
    """
    pred, true = np.asarray(pred, np.float64), np.asarray(true, np.float64)
    return where_any(np.abs(pred - true), pred + true)
