"""The list of figures: each has a caption without gaps, and none is drawn of nothing."""

from pathlib import Path

import pytest
import yaml

from bench.report.context import Values
from bench.report.external import read_all
from bench.report.figures import FIGURES, caption


@pytest.fixture(scope="module")
def values(grid: Path) -> Values:
    params = yaml.safe_load((grid / "params.yaml").read_text())
    results = read_all(grid / "results", params["datasets"], params["models"], params["seeds"])
    return Values(results, "batch_mean", grid / "prepared", grid / "runs")


@pytest.mark.parametrize("name", FIGURES)
def test_every_caption_is_a_title_and_a_sentence_without_gaps(values: Values, name: str) -> None:
    title, text = caption(values, name)
    assert title.endswith(".")
    assert text.endswith(".")
    assert not {"{", "}"} & set(text)


def test_figures_of_scores_are_drawn_and_those_of_images_only_where_there_are_any(values: Values) -> None:
    drawn = {name for name, figure in FIGURES.items() if figure.draw(values) is not None}
    of_scores = {name for name, figure in FIGURES.items() if not figure.of_photographs}
    assert drawn == of_scores - {"few_labels"}  # needs results of few training images
