"""Betti-0 error: by how many connected pieces prediction and truth differ."""

import numpy as np

from bench.metrics.inputs import OF_IMAGE, Input
from bench.metrics.ratios import Counts, Values, where_any

NAME = "Betti-0 error"
HIGHER_IS_BETTER = False
INPUT = Input(("pieces_pred", "pieces_true"), undefined=OF_IMAGE)


def compute(pred: Counts, true: Counts) -> Values:
    """Return |pieces of the prediction - pieces of the truth|, eight neighbours each, elementwise.

    Range 0 to infinity, lower is better; nan where neither has crack. Of the whole image, not of patches.

    **Source:** Hu 2019, Topology-preserving deep image segmentation, NeurIPS (Betti number error, dimension 0).

    >>> compute(np.array([3.0, 0.0]), np.array([1.0, 0.0])).tolist()
    [2.0, nan]
    """
    pred, true = np.asarray(pred, np.float64), np.asarray(true, np.float64)
    return where_any(np.abs(pred - true), pred + true)
