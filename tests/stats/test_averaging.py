"""The averaging conventions by hand, with images where the metric is undefined."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.formats import scores
from bench.metrics import crack_iou
from bench.ranking.results import summarise

AVERAGES = ("pooled", "image_mean", "batch_mean")

NAN = float("nan")
# tp, fp, fn, tn of five images; IoU 1/4, nan, 1/2, 0, 1
COUNTS = np.array([[1, 1, 2, 96], [0, 0, 0, 100], [50, 25, 25, 0], [0, 10, 0, 90], [20, 0, 0, 80]], float)


def summary(batches: list[int], counts: np.ndarray) -> pd.DataFrame:
    """Return what the product makes of one cell: all metrics under all averages."""
    cell = {"dataset": "cfd", "model": "unet", "seed": 0}
    images = pd.DataFrame(0.0, range(len(counts)), [c for c in scores.IMAGES if c not in cell])
    images[scores.COUNTS] = counts
    images["batch"] = batches
    curves = pd.DataFrame({"threshold": range(256), "tp": 0.0, "fp": 0.0, "fn": 0.0, "f1_mean": NAN})
    of_batch = pd.DataFrame(0.0, range(len(set(batches))), [c for c in scores.BATCHES if c not in cell])
    of_batch["batch"] = sorted(set(batches))
    return summarise(images.assign(**cell), curves.assign(**cell), of_batch.assign(**cell))


def average(metric: str, batches: list[int], how: str, counts: np.ndarray = COUNTS) -> float:
    rows = summary(batches, counts).set_index(["metric", "average"])["value"]
    return float(rows[(metric, how)])


def iou(batches: list[int], how: str, counts: np.ndarray = COUNTS) -> float:
    return average("crack_iou", batches, how, counts)


def test_pooled_adds_all_counts_first() -> None:
    assert iou([0] * 5, "pooled") == 71 / (71 + 36 + 27)
    assert iou([4, 3, 2, 1, 0], "pooled") == 71 / (71 + 36 + 27)


def test_image_mean_leaves_out_images_without_crack() -> None:
    assert iou([0] * 5, "image_mean") == pytest.approx((1 / 4 + 1 / 2 + 0 + 1) / 4)


def test_batch_mean_adds_counts_within_each_batch() -> None:
    first, second = 51 / (51 + 26 + 27), 20 / (20 + 10)
    assert iou([0, 0, 0, 1, 1], "batch_mean") == pytest.approx((first + second) / 2)


def test_batch_mean_leaves_out_a_batch_without_crack() -> None:
    assert iou([0, 1, 2, 2, 2], "batch_mean") == pytest.approx((1 / 4 + 70 / (70 + 35 + 25)) / 2)


def test_batches_are_told_apart_by_number_in_any_order() -> None:
    assert iou([7, 7, 7, 2, 2], "batch_mean") == iou([0, 0, 0, 1, 1], "batch_mean")


def test_one_batch_is_pooled_and_a_batch_per_image_is_the_image_mean() -> None:
    assert iou([3] * 5, "batch_mean") == iou([3] * 5, "pooled")
    assert iou(list(range(5)), "batch_mean") == iou(list(range(5)), "image_mean")


@pytest.mark.parametrize("how", AVERAGES)
def test_defined_nowhere_is_nan(how: str) -> None:
    counts = np.array([[0, 0, 0, 10], [0, 0, 0, 10]], float)
    assert np.isnan(iou([0, 1], how, counts))


def test_recall_is_defined_only_where_there_is_crack() -> None:
    assert average("recall", [0] * 5, "image_mean") == pytest.approx((1 / 3 + 2 / 3 + 1) / 3)


@given(
    st.lists(st.tuples(*[st.integers(0, 1000)] * 4), min_size=1, max_size=12),
    st.data(),
)
def test_averages_lie_between_the_worst_and_the_best_image(rows: list[tuple[int, ...]], data: st.DataObject) -> None:
    counts = np.array(rows, float)
    batches = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    each = crack_iou.compute(*counts.T)
    values = summary(batches, counts).set_index(["metric", "average"])["value"]
    for how in AVERAGES:
        value = values["crack_iou", how]
        if np.isnan(each).all():
            assert np.isnan(value)
        else:
            assert np.nanmin(each) - 1e-12 <= value <= np.nanmax(each) + 1e-12


def test_the_mean_over_images_is_no_median() -> None:
    # IoU 0, 0 and 1: mean 1/3, median 0
    counts = np.array([[0, 5, 0, 95], [0, 5, 0, 95], [5, 0, 0, 95]], float)
    assert iou([0, 0, 0], "image_mean", counts) == pytest.approx(1 / 3)
    assert iou([0, 1, 2], "batch_mean", counts) == pytest.approx(1 / 3)


def test_each_metric_of_counts_has_the_three_averages() -> None:
    rows = summary([0] * 5, COUNTS)
    assert set(rows.loc[rows["metric"] == "crack_iou", "average"]) == set(AVERAGES)
