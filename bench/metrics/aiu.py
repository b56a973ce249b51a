"""AIU: crack IoU averaged over all thresholds, so that no threshold has to be chosen."""

from bench.metrics.inputs import curve
from bench.metrics.ratios import Counts, Values, iou, where_crack

NAME = "AIU"
HIGHER_IS_BETTER = True
INPUT = curve("aiu")


def compute(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return the mean of tp / (tp + fp + fn) over the thresholds 1..255 of 256, (..., 256) to (...).

    The source uses the 99 thresholds 0.01 to 0.99 and averages over images (``image_mean``). For binary masks the
    result is their crack IoU.

    Range 0 to 1, higher is better; nan where there is no crack.

    **Source:** Yang 2019, FPHBN, doi 10.1109/TITS.2019.2910595.

    >>> import numpy as np
    >>> tp, fp, fn = np.array([[2, 2, 1], [4, 2, 0], [0, 0, 1]])
    >>> float(compute(tp, fp, fn))
    0.5
    """
    return where_crack(iou(tp, fp, fn)[..., 1:].mean(-1), tp, fn)
