"""AIU over all images: as ``aiu``, but an image without crack counts as 0, as in the script of its source."""

import numpy as np

from bench.metrics.inputs import Input
from bench.metrics.ratios import Values

NAME = "AIU, all images"
HIGHER_IS_BETTER = True
REASON = "it is a mean over images; see aiu"
INPUT = Input(("aiu_all_images",), undefined={"pooled": REASON, "batch_mean": REASON})


def compute(aiu: Values) -> Values:
    """Return the crack IoU of each image averaged over the thresholds 1..255, 0 for an image without crack.

    Range 0 to 1, higher is better; never nan. An image without crack lowers the score even where nothing is predicted.

    **Source:** Yang 2019, FPHBN, doi 10.1109/TITS.2019.2910595; its script counts such an image as 0.

    >>> compute(np.array([0.25, 0.0])).tolist()
    [0.25, 0.0]
    """
    return np.asarray(aiu, np.float64)
