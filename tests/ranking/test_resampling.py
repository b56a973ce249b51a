"""The bootstrap of one dataset: the sums it needs give the summary's value, and all models share the draws."""

from dataclasses import replace

import numpy as np
import pytest

from bench import plugins
from bench.ranking.resampling import draw, statistic_of
from bench.ranking.results import Results, read

MODELS = ["fpn", "unet"]


@pytest.fixture
def results(workspace) -> Results:
    return read(workspace(["cfd"], {"fpn": 0.6, "unet": 0.75}) / "results", ["cfd"], MODELS, [0])


CASES = [
    (name, average)
    for name in plugins.names("metrics")
    for average in ("pooled", "image_mean")
    if average in plugins.load("metrics", name).INPUT.averages
]


@pytest.mark.parametrize(("name", "average"), CASES)
def test_the_statistic_of_all_images_is_the_value_of_the_summary(results: Results, name: str, average: str) -> None:
    metric = plugins.load("metrics", name)
    rows = results.images[results.images["model"] == "unet"]
    statistic = statistic_of(metric, average, results.histograms)
    numbers = statistic.numbers(rows)
    sums = numbers.sum(0, keepdims=True) if statistic.average == "pooled" else numbers
    values = statistic.compute(sums) if statistic.stacked else statistic.compute(*sums.T)
    summary = results.summary
    key = (summary["model"] == "unet") & (summary["metric"] == name)
    (expected,) = summary.loc[key & (summary["average"] == average), "value"]
    assert np.nanmean(values) == pytest.approx(expected, abs=1e-8)


def test_draws_depend_on_the_seed_and_not_on_the_other_models(results: Results) -> None:
    metric = plugins.load("metrics", "crack_iou")
    both = draw(results, metric, "pooled", "cfd", MODELS, 50, seed=0)
    assert both.shape == (50, 2)
    assert (both[:, 1] > both[:, 0]).all()
    assert np.array_equal(draw(results, metric, "pooled", "cfd", ["unet"], 50, seed=0), both[:, 1:])
    assert not np.array_equal(draw(results, metric, "pooled", "cfd", MODELS, 50, seed=1), both)


def test_a_model_with_more_seeds_does_not_change_the_draws_of_the_others(workspace) -> None:
    folder = workspace(["cfd"], {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"
    results = read(folder, ["cfd"], MODELS, [0, 1])
    keep = ~((results.images["model"] == "unet") & (results.images["seed"] == 1))
    results = replace(results, images=results.images[keep])
    metric = plugins.load("metrics", "crack_iou")
    both = draw(results, metric, "pooled", "cfd", MODELS, 50, seed=0)
    assert np.isfinite(both).all()
    assert np.array_equal(draw(results, metric, "pooled", "cfd", ["unet"], 50, seed=0), both[:, 1:])


def test_one_source_image_gives_nan(results: Results) -> None:
    results.images["photo"] = "the same"
    draws = draw(results, plugins.load("metrics", "crack_iou"), "pooled", "cfd", MODELS, 5, seed=0)
    assert np.isnan(draws).all()
