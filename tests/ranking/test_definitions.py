"""One run under every definition, and the explanation of a metric."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.ranking.definitions import AVERAGES, definitions, explanation
from bench.ranking.results import Results, read


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    folder = workspace(["cfd"], {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"
    return read(folder, ["cfd"], ["fpn", "unet"], [0, 1])


def test_each_number_is_the_mean_over_seeds(results: Results) -> None:
    frame = definitions(results, "unet", "cfd").frame.set_index("Id")
    chosen = results.summary[(results.summary["model"] == "unet") & (results.summary["metric"] == "dice")]
    means = chosen.groupby("average")["value"].mean()
    for average, title in AVERAGES.items():
        assert frame.loc["dice", title] == pytest.approx(means[average])
    values = frame.loc["dice", list(AVERAGES.values())]
    assert frame.loc["dice", "Spread"] == pytest.approx(values.max() - values.min())


@pytest.mark.parametrize(("model", "dataset", "name"), [("unett", "cfd", "unett"), ("unet", "gaps", "gaps")])
def test_what_has_no_scores_is_named(results: Results, model: str, dataset: str, name: str) -> None:
    with pytest.raises(UserError, match=name):
        definitions(results, model, dataset)


def test_an_explanation_names_columns_direction_and_averages() -> None:
    text = explanation("expected_calibration_error")
    assert "Lower is better." in text
    assert "tp, fp, fn of curves.csv" in text
    assert "Higher is better." in explanation("dice")
    assert "Averages: pooled, image_mean, batch_mean." in explanation("dice")
    with pytest.raises(UserError, match="dicee"):
        explanation("dicee")
