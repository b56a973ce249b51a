"""What a metric is computed from: columns of the score files, and the averages that are defined for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AVERAGES = ("pooled", "image_mean", "batch_mean")


@dataclass(frozen=True)
class Input:
    """What `compute` of a metric file takes.

    Attributes:
        columns: names in the score files, in the order of the arguments.
        over: "images": numbers of one image each, arrays of any one shape, counts add up over images; "curve":
            arrays (..., 256), one number for each threshold.
        image_column: for a curve: the column of images.csv and batches.csv that holds the metric of each.
        undefined: average -> why there is none.
        about: what the columns are, for `bench explain`.
    """

    columns: tuple[str, ...]
    over: Literal["images", "curve"] = "images"
    image_column: str | None = None
    undefined: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    @property
    def averages(self) -> tuple[str, ...]:
        """The averages that are defined."""
        return tuple(average for average in AVERAGES if average not in self.undefined)


COUNTS = Input(("tp", "fp", "fn", "tn"), about="Counts of pixels at p >= 0.5; crack is positive.")
"""Pixels of one image at p >= 0.5."""

SKELETONS = "Skeletons: thinned to one pixel after Zhang and Suen 1984, doi 10.1145/357994.358023."


def tolerant(tolerance_px: int, *columns: str) -> Input:
    """Return the counts with tolerance; in the names of the columns, N stands for it.

    **Source:** of 2 px and 5 px: conventions in the literature on cracks, after CrackTree (Zou 2012, doi
    10.1016/j.patrec.2011.11.004) and CrackForest (Shi 2016, doi 10.1109/TITS.2016.2552248).
    """
    about = (
        f"pred_hit: predicted crack pixels within {tolerance_px} px (Euclidean, between pixel centres) of a true one; "
        "true_hit: true ones within it of a predicted one. A pixel may serve as the neighbour of many: there is no "
        "one-to-one matching."
    )
    return Input(tuple(column.replace("N", str(tolerance_px)) for column in columns), about=about)


def curve(image_column: str) -> Input:
    """Return the counts by threshold, and the column that holds the metric of each image and each batch."""
    return Input(("tp", "fp", "fn"), "curve", image_column, about="Counts of pixels at floor(256 p) >= 0..255.")
