"""mIoU at the best threshold: the best mean over images of the IoU of crack and background, one threshold for all."""

import numpy as np

from bench.metrics.inputs import Input
from bench.metrics.ratios import Values

NAME = "mIoU, best threshold"
HIGHER_IS_BETTER = True
INPUT = Input(
    ("miou_mean",),
    "curve",
    undefined={
        "pooled": "it is a mean over images; see mean_iou for pooled counts at p >= 0.5",
        "batch_mean": "one threshold is chosen for the whole dataset",
    },
)


def compute(miou_mean: Values) -> Values:
    """Return the highest mean over images of (IoU of crack + IoU of background) / 2, (..., 256) to (...).

    Thresholds 1..255. An image without crack in which none is predicted counts as 0.

    Range 0 to 1, higher is better; nan for scores without histograms. The background alone gives about 0.5.

    **Source:** the evaluation script of SCSegamba (Liu 2025, CVPR), which reports it as mIoU.

    >>> float(compute(np.array([0.9, 0.6, 0.7])))  # the first, where all is crack, is no candidate
    0.7
    """
    best: Values = np.asarray(miou_mean, np.float64)[..., 1:].max(-1)
    return best
