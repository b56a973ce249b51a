"""ODS, per-image variant: one threshold for all images, but the F1 of each image, then the mean."""

import numpy as np

from bench.metrics.inputs import Input
from bench.metrics.ratios import Values

NAME = "ODS, mean of images"
HIGHER_IS_BETTER = True
INPUT = Input(
    ("f1_mean",),
    "curve",
    undefined={
        "pooled": "it is a mean over images; of pooled counts it is ods",
        "batch_mean": "one threshold serves the whole dataset, so that a batch has no ODS of its own",
    },
)


def compute(f1_mean: Values) -> Values:
    """Return the highest of the 256 mean F1, (..., 256) to (...).

    ``f1_mean`` is at each threshold the mean of F1 over the images that have crack. Much published code calls this
    ODS; it lies above or below ``ods``, as it weighs each image alike, however little crack it holds.

    Range 0 to 1, higher is better; nan where no image has crack.

    **Source:** none that defines it; it is what public evaluation scripts for cracks compute.

    >>> float(compute(np.array([0.2, 0.6, 0.5])))
    0.6
    """
    best: Values = np.asarray(f1_mean, np.float64).max(-1)
    return best
