"""OIS, per-image variant: the F1 of each image at its own best threshold, averaged over the images."""

import numpy as np

from bench.metrics.inputs import BEST, Input
from bench.metrics.ratios import Values

NAME = "OIS, mean of images"
HIGHER_IS_BETTER = True
REASON = "it is a mean over images; see ois for counts added up at the best threshold of each image"
INPUT = Input(("best_f1",), undefined={"pooled": REASON, "batch_mean": REASON}, about=BEST)


def compute(best_f1: Values) -> Values:
    """Return the best F1 over the thresholds 1..255 of each image, unchanged.

    Range 0 to 1, higher is better; optimistic, since the threshold is chosen with the truth of each image; nan for an
    image without crack, which the mean skips.

    The script of SCSegamba counts an image without crack as 0 instead.

    **Source:** no formal definition; the evaluation scripts of CrackFormer (Liu 2021, doi
    10.1109/ICCV48922.2021.00376) and SCSegamba (Liu 2025, CVPR) call it OIS.

    >>> compute(np.array([0.25, np.nan])).tolist()
    [0.25, nan]
    """
    return np.asarray(best_f1, np.float64)
