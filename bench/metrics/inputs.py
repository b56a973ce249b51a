"""The input of a metric: columns of the score files, and the averages that are defined."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AVERAGES = ("pooled", "image_mean", "batch_mean")


@dataclass(frozen=True)
class Input:
    """The arguments of ``compute`` in a metric file.

    Attributes:
        columns: names in the score files, in the order of the arguments.
        over: "images": arrays of any one shape, one element per image, which are added up to pool images; "curve":
            arrays (..., 256), one element per threshold.
        image_column: for a curve, the column of images.csv and batches.csv with the value of each image or batch.
        undefined: average -> why it is not defined.
        about: description of the columns, for `bench explain`.
    """

    columns: tuple[str, ...]
    over: Literal["images", "curve"] = "images"
    image_column: str | None = None
    undefined: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    @property
    def averages(self) -> tuple[str, ...]:
        """Names of the averages that are defined."""
        return tuple(average for average in AVERAGES if average not in self.undefined)


COUNTS = Input(("tp", "fp", "fn", "tn"), about="Counts of pixels at p >= 0.5; crack is positive.")
"""Pixels of one image at p >= 0.5."""

BEST = (
    "Each image at the threshold 1..255 of floor(256 p) with its highest F1, the lowest of several; one without crack "
    "at 255."
)

OF_IMAGE = dict.fromkeys(("pooled", "batch_mean"), "it is measured on each image")
"""Reasons of a metric that has only a mean over images."""

SKELETONS = "Skeletons: thinned to one pixel after Zhang and Suen 1984, doi 10.1145/357994.358023."

THIN = "Lines: thinned to one pixel after Guo and Hall 1989, doi 10.1145/62065.62074, as ``thin`` of scikit-image does."


def curve(image_column: str) -> Input:
    """Return the input of a curve metric; ``image_column`` holds its value for each image and each batch."""
    return Input(("tp", "fp", "fn"), "curve", image_column, about="Counts of pixels at floor(256 p) >= 0..255.")
