"""ODS, per-image variant: the best mean F1 over images, with one threshold for all images."""

import numpy as np

from bench.metrics.inputs import Input
from bench.metrics.ratios import Values

NAME = "ODS, mean of images"
HIGHER_IS_BETTER = True
INPUT = Input(
    ("f1_mean",),
    "curve",
    undefined={
        "pooled": "it is a mean over images; see ods for pooled counts",
        "batch_mean": "one threshold is chosen for the whole dataset, so ODS is not defined for a batch",
    },
)


def compute(f1_mean: Values) -> Values:
    """Return the highest mean F1 over the thresholds 1..255, (..., 256) to (...).

    ``f1_mean`` is the mean F1 over the images with crack, at each threshold. Much published code calls this ODS; it may
    be higher or lower than ``ods``, as it gives each image the same weight, however little crack it shows.

    Range 0 to 1, higher is better; nan where no image has crack.

    The script of SCSegamba counts an image without crack as 0 instead.

    **Source:** no formal definition; the evaluation script of SCSegamba (Liu 2025, CVPR) calls it ODS.

    >>> float(compute(np.array([0.7, 0.6, 0.5])))  # the first, where all is crack, is no candidate
    0.6
    """
    best: Values = np.asarray(f1_mean, np.float64)[..., 1:].max(-1)
    return best
