"""OIS: the F1 of each image at the threshold that suits it best, then the mean over the images."""

import numpy as np

from bench.metrics.inputs import Input
from bench.metrics.ratios import Values

NAME = "OIS"
HIGHER_IS_BETTER = True
OWN = "each image has a threshold of its own, so that there are no counts to add up"
INPUT = Input(("best_f1",), undefined={"pooled": OWN, "batch_mean": OWN})


def compute(best_f1: Values) -> Values:
    """Return the best F1 over the 256 thresholds of each image, as it is.

    Range 0 to 1, higher is better, an optimistic number: the threshold is chosen on the truth of each image; nan
    for an image without crack, which the mean leaves out.

    **Source:** Arbelaez 2011, doi 10.1109/TPAMI.2010.161 (optimal image scale), without its matching of contours.

    >>> compute(np.array([0.25, np.nan])).tolist()
    [0.25, nan]
    """
    return np.asarray(best_f1, np.float64)
