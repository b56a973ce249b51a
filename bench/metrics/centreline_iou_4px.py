"""Centreline IoU at 4 px: intersection over union of the two skeletons, with a tolerance of 4 px."""

from bench.metrics.inputs import SKELETONS, Input
from bench.metrics.ratios import Counts, Values, iou

NAME = "Centreline IoU, 4 px"
HIGHER_IS_BETTER = True
COLUMNS = ("skeleton_pred", "centreline_pred_hit_4px", "skeleton_true", "centreline_true_hit_4px")
INPUT = Input(COLUMNS, about=SKELETONS)


def compute(pred: Counts, pred_hit: Counts, true: Counts, true_hit: Counts) -> Values:
    """Return true_hit / (true + pred - pred_hit), elementwise over arrays of one shape.

    ``pred`` are the pixels of the skeleton of the prediction, ``pred_hit`` those within 4 px (Euclidean) of the true
    skeleton; ``true`` and ``true_hit`` the reverse. true_hit counts as tp, pred - pred_hit as fp and true - true_hit as
    fn.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** Benz and Rodehorst 2024, OmniCrack30k, CVPR workshops, clIoU at 4 px; implemented as in
    ``evaluation.py`` of the authors' package omnicrack30k, but for the skeletons: the package thins by ``thin`` of
    scikit-image (Guo and Hall 1989), this suite by ``skeletonize``; single images can differ.
    ``centreline_iou_4px_thin`` thins as the package does.

    >>> import numpy as np
    >>> float(compute(*np.array([4, 3, 5, 3])))
    0.5
    """
    return iou(true_hit, pred - pred_hit, true - true_hit)
