"""F1 with 5 px of tolerance: the harmonic mean of the tolerant precision and recall."""

from bench.metrics.inputs import tolerant
from bench.metrics.ratios import Counts, Values, f1_of_hits

NAME = "F1, 5 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(5, "pred_hit_Npx", "true_hit_Npx", "tp", "fp", "fn")


def compute(pred_hit: Counts, true_hit: Counts, tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return 2 P R / (P + R) of P = pred_hit / (tp + fp) and R = true_hit / (tp + fn).

    Range 0 to 1, higher is better; nan where neither truth nor prediction has crack, 0 where only one of them has.

    **Source:** a convention in the literature on cracks, after CrackForest (Shi 2016); see ``tolerant``.

    >>> import numpy as np
    >>> round(float(compute(*np.array([3, 3, 2, 2, 3]))), 4)
    0.6667
    """
    return f1_of_hits(pred_hit, tp + fp, true_hit, tp + fn)
