"""The section ``report`` of params.yaml, in a module without matplotlib because rankings read it too."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReportSettings:
    """The section ``report`` of params.yaml.

    Attributes:
        headline: average used in Tables 3 to 6 and Figure 6, and by rankings unless they are given another one.
        highlight: ids of the models to emphasise in figures, in order of preference. The first one available is the
            model of Figures 7 and 8 and the first column of Figure 5; without one, the best-ranked model is.
    """

    headline: Literal["batch_mean", "pooled", "image_mean"]
    highlight: tuple[str, ...] = ("context_cracknet",)
