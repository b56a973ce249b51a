"""ODS: the best F1 that one threshold for the whole dataset reaches, counts pooled over the images."""

from bench.metrics.inputs import Input
from bench.metrics.ratios import Counts, Values, f1, where_crack

NAME = "ODS"
HIGHER_IS_BETTER = True
INPUT = Input(
    ("tp", "fp", "fn"),
    "curve",
    undefined={
        "image_mean": "one threshold serves the whole dataset; the mean of F1 over images at one is ods_image_mean",
        "batch_mean": "one threshold serves the whole dataset, so that a batch has no ODS of its own",
    },
)


def compute(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return the highest 2 tp / (2 tp + fp + fn) over the thresholds t = 0..255 of floor(256 p) >= t.

    The arguments are (..., 256), the result (...). At t = 0 all is predicted, which is one of the candidates.

    Range 0 to 1, higher is better; nan where there is no crack at all.

    **Source:** Arbelaez 2011, doi 10.1109/TPAMI.2010.161 (optimal dataset scale), without its matching of contours;
    see ``f1_5px`` for tolerance.

    >>> import numpy as np
    >>> tp, fp, fn = np.array([[2, 2, 1], [4, 1, 0], [0, 0, 1]])
    >>> float(compute(tp, fp, fn))
    0.8
    """
    return where_crack(f1(tp, fp, fn).max(-1), tp, fn)
