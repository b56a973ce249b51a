"""ODS: the best F1 over all thresholds, with one threshold for the whole dataset and counts pooled over images."""

from bench.metrics.inputs import Input
from bench.metrics.ratios import Counts, Values, f1, where_crack

NAME = "ODS"
HIGHER_IS_BETTER = True
INPUT = Input(
    ("tp", "fp", "fn"),
    "curve",
    undefined={
        "image_mean": "one threshold is chosen for the whole dataset; see ods_image_mean for the mean F1 over images",
        "batch_mean": "one threshold is chosen for the whole dataset, so ODS is not defined for a batch",
    },
)


def compute(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return the highest 2 tp / (2 tp + fp + fn) over the thresholds t = 1..255 of floor(256 p) >= t.

    The arguments are (..., 256), the result (...). t = 0, where every pixel is predicted as crack whatever the model
    says, is no candidate.

    Range 0 to 1, higher is better; nan where there is no crack.

    **Source:** Arbelaez 2011, doi 10.1109/TPAMI.2010.161 (optimal dataset scale), without its contour matching; see
    ``f1_5px`` for a tolerance.

    >>> import numpy as np
    >>> tp, fp, fn = np.array([[2, 2, 1], [4, 1, 0], [0, 0, 1]])  # 3 thresholds
    >>> float(compute(tp, fp, fn))
    0.8
    """
    return where_crack(f1(tp, fp, fn)[..., 1:].max(-1), tp, fn)
