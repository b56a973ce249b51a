"""F1 with one-to-one matching: thinned masks, pixels paired within 0.75 % of the image diagonal."""

from bench.metrics.inputs import SKELETONS, Input
from bench.metrics.ratios import Counts, Values, ratio

NAME = "F1, matched"
HIGHER_IS_BETTER = True
INPUT = Input(("skeleton_matched", "skeleton_pred", "skeleton_true"), about=SKELETONS)


def compute(matched: Counts, pred: Counts, true: Counts) -> Values:
    """Return 2 matched / (pred + true), elementwise: F1 where each pixel of a skeleton has at most one partner.

    Unlike with the tolerant metrics, many predicted pixels cannot share a true one. Range 0 to 1, higher is better; nan
    where neither truth nor prediction has crack.

    **Source:** Martin 2004, doi 10.1109/TPAMI.2004.1273918 (BSDS), at 0.0075 of the diagonal as in Yang 2019, FPHBN,
    doi 10.1109/TITS.2019.2910595, at p >= 0.5; the pairs are a maximum matching by scipy, which does not prefer short
    distances.

    >>> import numpy as np
    >>> compute(*np.array([[6.0], [8.0], [12.0]])).tolist()
    [0.6]
    """
    return ratio(2 * matched, pred + true)
