"""OIS: the F1 of each image at its own best threshold, averaged over the images."""

import numpy as np

from bench.metrics.inputs import Input
from bench.metrics.ratios import Values

NAME = "OIS"
HIGHER_IS_BETTER = True
REASON = "each image has its own threshold, so counts cannot be added up"
INPUT = Input(("best_f1",), undefined={"pooled": REASON, "batch_mean": REASON})


def compute(best_f1: Values) -> Values:
    """Return the best F1 over the 256 thresholds of each image, unchanged.

    Range 0 to 1, higher is better; optimistic, since the threshold is chosen with the truth of each image; nan for an
    image without crack, which the mean skips.

    **Source:** Arbelaez 2011, doi 10.1109/TPAMI.2010.161 (optimal image scale), without its contour matching.

    >>> compute(np.array([0.25, np.nan])).tolist()
    [0.25, nan]
    """
    return np.asarray(best_f1, np.float64)
