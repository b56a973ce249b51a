"""Centreline IoU at 4 px of lines thinned as in the cited package, which gives other lines than ``skeletonize``."""

from bench.metrics.inputs import THIN, Input
from bench.metrics.ratios import Counts, Values, iou

NAME = "Centreline IoU, 4 px, thin"
HIGHER_IS_BETTER = True
INPUT = Input(("thin_pred", "thin_pred_hit_4px", "thin_true", "thin_true_hit_4px"), about=THIN)


def compute(pred: Counts, pred_hit: Counts, true: Counts, true_hit: Counts) -> Values:
    """Return true_hit / (true + pred - pred_hit), elementwise over arrays of one shape; see ``centreline_iou_4px``.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** Benz and Rodehorst 2024, OmniCrack30k, CVPR workshops, clIoU at 4 px; as in ``evaluation.py`` of the
    authors' package omnicrack30k.

    >>> import numpy as np
    >>> float(compute(*np.array([4, 3, 5, 3])))
    0.5
    """
    return iou(true_hit, pred - pred_hit, true - true_hit)
