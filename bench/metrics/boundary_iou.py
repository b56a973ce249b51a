"""Boundary IoU: IoU of the boundaries of both masks, 2 % of the image diagonal wide."""

from bench.metrics.inputs import Input
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Boundary IoU"
HIGHER_IS_BETTER = True
INPUT = Input(("boundary_both", "boundary_pred", "boundary_true"))


def compute(both: Counts, pred: Counts, true: Counts) -> Values:
    """Return both / (pred + true - both), elementwise over arrays of one shape.

    ``pred`` and ``true`` are the pixels of a mask within d of its contour (chessboard distance, d = 2 % of the image
    diagonal, 13 px at 448x448), ``both`` those in both boundaries. For cracks thinner than 2 d, which is most of them,
    this equals crack IoU.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** Cheng 2021, doi 10.1109/CVPR46437.2021.01508, eq. 2.

    >>> import numpy as np
    >>> float(compute(*np.array([2, 4, 6])))
    0.25
    """
    return ratio(both, pred + true - both)
