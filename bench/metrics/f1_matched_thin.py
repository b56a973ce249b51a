"""F1 with one-to-one matching of lines thinned by Guo and Hall's method, as in the benchmark that it is from."""

from bench.metrics.inputs import THIN, Input
from bench.metrics.ratios import Counts, Values, ratio

NAME = "F1, matched, thin"
HIGHER_IS_BETTER = True
INPUT = Input(("thin_matched", "thin_pred", "thin_true"), about=THIN)


def compute(matched: Counts, pred: Counts, true: Counts) -> Values:
    """Return 2 matched / (pred + true), elementwise; see ``f1_matched``.

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack.

    **Source:** Martin 2004, doi 10.1109/TPAMI.2004.1273918 (BSDS), whose code thins the prediction by MATLAB's
    ``bwmorph(..., "thin", Inf)``, that is, after Guo and Hall 1989; here the truth is thinned too, since labels of
    cracks are areas.

    >>> import numpy as np
    >>> compute(*np.array([[6.0], [8.0], [12.0]])).tolist()
    [0.6]
    """
    return ratio(2 * matched, pred + true)
