"""Mean surface distance: how far the border of one mask is from that of the other, on average."""

import numpy as np

from bench.metrics.inputs import OF_IMAGE, Input
from bench.metrics.ratios import Values

NAME = "Mean surface distance, px"
HIGHER_IS_BETTER = False
INPUT = Input(("surface_distance_px",), undefined=OF_IMAGE)


def compute(distance: Values) -> Values:
    """Return the distance of each image, px, unchanged.

    It is the mean of the distances from each border pixel of one mask to the nearest of the other, of both together.
    Range 0 to the diagonal of the image, lower is better; nan where neither mask has crack, the diagonal where only one
    of them has.

    **Source:** Taha and Hanbury 2015, doi 10.1186/s12880-015-0068-x (average symmetric surface distance).

    >>> compute(np.array([1.5, np.nan])).tolist()
    [1.5, nan]
    """
    return np.asarray(distance, np.float64)
