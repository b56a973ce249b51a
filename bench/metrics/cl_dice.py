"""clDice: Dice of the centrelines, which ignores width and measures whether cracks are found without gaps."""

from bench.metrics.inputs import SKELETONS, Input
from bench.metrics.ratios import Counts, Values, f1_of_hits

NAME = "clDice"
HIGHER_IS_BETTER = True
INPUT = Input(("skeleton_pred", "skeleton_pred_hit", "skeleton_true", "skeleton_true_hit"), about=SKELETONS)


def compute(pred: Counts, pred_hit: Counts, true: Counts, true_hit: Counts) -> Values:
    """Return 2 P S / (P + S) of topology precision P = pred_hit / pred and sensitivity S = true_hit / true.

    ``pred`` are the pixels of the skeleton of the prediction, ``pred_hit`` those inside the true mask; ``true`` and
    ``true_hit`` the reverse. Elementwise over arrays of one shape.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack, 0 where only one of them has.

    **Source:** Shit 2021, doi 10.1109/CVPR46437.2021.01629, eq. 1 and 2, with hard skeletons.

    >>> import numpy as np
    >>> round(float(compute(*np.array([4, 3, 5, 3]))), 4)
    0.6667
    """
    return f1_of_hits(pred_hit, pred, true_hit, true)
