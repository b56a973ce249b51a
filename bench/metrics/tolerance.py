"""Precision, recall and F1 with a tolerance in pixels, and the columns that they are computed from.

**Source:** the tolerances are conventions in the literature on cracks: 2 px after CrackTree (Zou 2012, doi
10.1016/j.patrec.2011.11.004), 5 px after CrackForest (Shi 2016, doi 10.1109/TITS.2016.2552248).
"""

from bench.metrics.inputs import Input
from bench.metrics.ratios import Counts, Values, f1_of_hits, ratio


def tolerant(tolerance_px: int, *columns: str) -> Input:
    """Return the input of a metric with tolerance; N in the name of a column stands for the tolerance."""
    about = (
        f"pred_hit: predicted crack pixels within {tolerance_px} px (Euclidean, between pixel centres) of a true one; "
        "true_hit: true crack pixels within that distance of a predicted one. A pixel may be the neighbour of many: "
        "there is no one-to-one matching."
    )
    return Input(tuple(column.replace("N", str(tolerance_px)) for column in columns), about=about)


def precision(pred_hit: Counts, tp: Counts, fp: Counts) -> Values:
    """Return pred_hit / (tp + fp): the share of the predicted crack that lies near true crack.

    Range 0 to 1, higher is better; nan where nothing is predicted.

    **Source:** 2 px: after CrackTree (Zou 2012); 5 px: after CrackForest (Shi 2016); see ``tolerance.py``.

    >>> import numpy as np
    >>> float(precision(*np.array([3, 2, 2])))
    0.75
    """
    return ratio(pred_hit, tp + fp)


def recall(true_hit: Counts, tp: Counts, fn: Counts) -> Values:
    """Return true_hit / (tp + fn): the share of the true crack that lies near predicted crack.

    Range 0 to 1, higher is better; nan where there is no crack.

    **Source:** 2 px: after CrackTree (Zou 2012); 5 px: after CrackForest (Shi 2016); see ``tolerance.py``.

    >>> import numpy as np
    >>> float(recall(*np.array([3, 2, 3])))
    0.6
    """
    return ratio(true_hit, tp + fn)


def f1(pred_hit: Counts, true_hit: Counts, tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return 2 P R / (P + R) of P = pred_hit / (tp + fp) and R = true_hit / (tp + fn).

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack, 0 where only one of them has.

    **Source:** 2 px: after CrackTree (Zou 2012); 5 px: after CrackForest (Shi 2016); see ``tolerance.py``.

    >>> import numpy as np
    >>> round(float(f1(*np.array([3, 3, 2, 2, 3]))), 4)
    0.6667
    """
    return f1_of_hits(pred_hit, tp + fp, true_hit, tp + fn)
