"""OIS: F1 of the counts added up over images, each image at its own best threshold."""

from bench.metrics.inputs import BEST, Input
from bench.metrics.ratios import Counts, Values, f1, where_any

NAME = "OIS"
HIGHER_IS_BETTER = True
REASON = "counts are added up over all images; see ois_image_mean for the mean of each image's best F1"
INPUT = Input(("best_tp", "best_fp", "best_fn"), undefined={"image_mean": REASON, "batch_mean": REASON}, about=BEST)


def compute(tp: Counts, fp: Counts, fn: Counts) -> Values:
    """Return 2 tp / (2 tp + fp + fn) of counts at the best threshold of each image, elementwise.

    Range 0 to 1, higher is better; optimistic, since thresholds are chosen with the truth of each image; nan where
    there is no crack. An image without crack takes part at its highest threshold, with the fewest false alarms.

    **Source:** Arbelaez 2011, doi 10.1109/TPAMI.2010.161 (optimal image scale), without its contour matching. Scripts
    of CrackFormer and SCSegamba compute ``ois_image_mean`` instead; the two can order models differently.

    >>> import numpy as np
    >>> float(compute(*np.array([2, 1, 1])))
    0.6666666666666666
    """
    return where_any(f1(tp, fp, fn), tp + fn)
