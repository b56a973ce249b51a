"""Hausdorff distance at 95 %: how far the outermost border pixels of one mask are from the other mask."""

import numpy as np

from bench.metrics.inputs import OF_IMAGE, Input
from bench.metrics.ratios import Values

NAME = "Hausdorff distance 95 %, px"
HIGHER_IS_BETTER = False
INPUT = Input(("hausdorff95_px",), undefined=OF_IMAGE)


def compute(distance: Values) -> Values:
    """Return the distance of each image, px, unchanged.

    It is the greater of the two 95th percentiles of the distances from the border of one mask to that of the other.
    Range 0 to the diagonal of the image, lower is better; nan where neither mask has crack, the diagonal where only one
    of them has.

    **Source:** Huttenlocher 1993, doi 10.1109/34.232073, with the 95th percentile of Taha and Hanbury 2015, doi
    10.1186/s12880-015-0068-x.

    >>> compute(np.array([1.5, np.nan])).tolist()
    [1.5, nan]
    """
    return np.asarray(distance, np.float64)
