"""Expected calibration error: the gap between predicted probabilities and the observed share of crack."""

import numpy as np

from bench.metrics.inputs import curve
from bench.metrics.ratios import Counts, Values, ratio

NAME = "Expected calibration error"
HIGHER_IS_BETTER = False
INPUT = curve("expected_calibration_error")

BINS = 15
"""Number of bins of equal width. **Source:** Guo 2017, section 5."""


def compute(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return sum_b n_b / n |mean probability of b - share of crack in b|, (..., 256) to (...).

    The probability at level l = floor(256 p) is taken as (l + 0.5) / 256, an error of at most 0.002. The counts at
    threshold 0 include all pixels. Most pixels are background, so that the error is small for any model that is
    confident about the background.

    Range 0 to 1, lower is better; nan without pixels.

    **Source:** Naeini 2015, AAAI 29; Guo 2017, arXiv:1706.04599, eq. 3, applied to the probability of crack.

    >>> tp, fp = np.zeros(256, int), np.zeros(256, int)
    >>> tp[:128], fp[:128] = 1, 3
    >>> round(float(compute(tp, fp, 1 - tp)), 6)
    0.248047
    """
    levels = np.arange(tp.shape[-1])
    probability = (levels + 0.5) / tp.shape[-1]
    crack, background = (-np.diff(counts, axis=-1, append=0) for counts in (tp, fp))
    bins = (BINS * probability).astype(int)[:, None] == np.arange(BINS)
    gaps = ((crack + background) * probability - crack) @ bins.astype(np.float64)
    return ratio(np.abs(gaps).sum(-1), (tp + fp)[..., 0])
