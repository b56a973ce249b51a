"""The section ``report`` of params.yaml."""

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.report.settings import ReportSettings
from bench.settings import load_params, section

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")


@pytest.mark.parametrize("average", ["batch_mean", "pooled", "image_mean"])
def test_the_three_averages(average: str) -> None:
    assert section({"report": PARAMS["report"] | {"headline": average}}, "report", ReportSettings).headline == average


def test_another_average_is_refused_by_key() -> None:
    with pytest.raises(UserError, match="headline"):
        section({"report": PARAMS["report"] | {"headline": "median"}}, "report", ReportSettings)
