"""The section ``report`` of params.yaml, without matplotlib: rankings read it too."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReportSettings:
    """The section ``report`` of params.yaml.

    Attributes:
        headline: averaging of Tables 3 to 6, of figure 6, and of rankings that ask for no other.
    """

    headline: Literal["batch_mean", "pooled", "image_mean"]
