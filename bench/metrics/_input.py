"""What a metric is computed from: columns of the score files, and the averages that are defined for it."""

from dataclasses import dataclass
from typing import Literal

AVERAGES = ("pooled", "image_mean", "batch_mean")


@dataclass(frozen=True)
class Input:
    """What `compute` of a metric file takes.

    Attributes:
        columns: names in the score files, in the order of the arguments.
        over: "images": numbers of one image each, arrays of any one shape, counts add up over images; "curve":
            arrays (..., 256), one number for each threshold.
        averages: the averages that are defined.
        image_column: for a curve: the column of images.csv that holds the metric of each image.
    """

    columns: tuple[str, ...]
    over: Literal["images", "curve"] = "images"
    averages: tuple[str, ...] = AVERAGES
    image_column: str | None = None


COUNTS = Input(("tp", "fp", "fn", "tn"))
"""Pixels of one image at p >= 0.5."""


def tolerant(tolerance_px: int) -> Input:
    """Return the counts with tolerance: pixels within it of the other mask, then those of the two masks."""
    return Input((f"pred_hit_{tolerance_px}px", f"true_hit_{tolerance_px}px", "tp", "fp", "fn"))


def curve(image_column: str | None = None) -> Input:
    """Return the counts by threshold; averages over images come from ``image_column``, if there is one."""
    averages = ("pooled", "image_mean") if image_column else ("pooled",)
    return Input(("tp", "fp", "fn"), "curve", averages, image_column)
