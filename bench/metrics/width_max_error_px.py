"""Maximum width error: by how much the greatest widths of prediction and truth differ."""

import numpy as np

from bench.metrics.inputs import OF_IMAGE, Input
from bench.metrics.ratios import Counts, Values, where_any

NAME = "Maximum width error, px"
HIGHER_IS_BETTER = False
INPUT = Input(("width_max_pred", "width_max_true"), undefined=OF_IMAGE)


def compute(pred: Counts, true: Counts) -> Values:
    """Return |greatest width of the prediction - greatest width of the truth|, px, elementwise.

    The width is the diameter of the largest disc inside the mask; the image edge does not bound it. Range 0 to
    infinity, lower is better; nan where neither has crack, or where a mask fills the image.

    **Source:** a number of engineers, without formal definition; the greatest width decides on repair.

    >>> compute(np.array([5.0, 0.0]), np.array([3.0, 0.0])).tolist()
    [2.0, nan]
    """
    pred, true = np.asarray(pred, np.float64), np.asarray(true, np.float64)
    return where_any(np.abs(pred - true), pred + true)
