"""The summary of counts: three averages by hand, metrics of the curve, and NaN where nothing is defined."""

import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import scores
from bench.ranking.summary import summarise


@pytest.fixture
def results(workspace) -> scores.Scores:
    return scores.read(workspace(["cfd"], {"fpn": 0.6, "unet": 0.75}) / "results" / "scores" / "cfd")


def recalls(results: scores.Scores, counts: dict[int, tuple[int, int]]) -> "pd.Series[float]":
    """Return recall by average of unet, after replacing tp and fn of its images (four to a batch) by row number."""
    images = results.images[results.images["model"] == "unet"].reset_index(drop=True).copy()
    for row in images.index:
        images.loc[row, ["tp", "fn"]] = counts.get(row, (0, 0))
    curves = results.curves[results.curves["model"] == "unet"]
    batches = results.batches[results.batches["model"] == "unet"]
    table = summarise(images, curves, batches)
    return table[table["metric"] == "recall"].set_index("average")["value"]


def test_the_three_averages_by_hand(results: scores.Scores) -> None:
    values = recalls(results, {0: (9, 1), 1: (1, 1), 4: (0, 10)})  # images 4 and 5 are the second batch
    assert values["pooled"] == pytest.approx(10 / 22)
    assert values["image_mean"] == pytest.approx((0.9 + 0.5 + 0) / 3)  # images without cracks are left out
    assert values["batch_mean"] == pytest.approx((10 / 12 + 0) / 2)


def test_a_metric_that_is_defined_nowhere_is_nan(results: scores.Scores) -> None:
    assert recalls(results, {}).isna().all()


def test_rows_are_sorted_and_cells_do_not_affect_each_other(results: scores.Scores) -> None:
    table = summarise(results.images, results.curves, results.batches)
    order = ["dataset", "model", "seed", "metric", "average"]
    assert table.columns.tolist() == [*order, "value"]
    assert table.equals(table.sort_values(order, ignore_index=True))
    alone = summarise(*(f[f["model"] == "fpn"] for f in (results.images, results.curves, results.batches)))
    pd.testing.assert_frame_equal(table[table["model"] == "fpn"].reset_index(drop=True), alone)


def test_without_images_the_summary_is_empty(results: scores.Scores) -> None:
    table = summarise(results.images[:0], results.curves[:0], results.batches[:0])
    assert table.empty
    assert table.columns.tolist() == ["dataset", "model", "seed", "metric", "average", "value"]


def test_a_curve_that_lacks_a_threshold_is_refused(results: scores.Scores) -> None:
    with pytest.raises(UserError, match="evaluate these cells again"):
        summarise(results.images, results.curves[results.curves["threshold"] != 7], results.batches)
