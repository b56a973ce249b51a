"""The metrics against counting by brute force, against another library, and in the cases where nothing is there."""

from collections.abc import Callable

import numpy as np
import pytest
import segmentation_models_pytorch.metrics as smp
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics import crack_iou, dice, expected_calibration_error, f1, mean_iou, precision, recall
from bench.metrics.counting import threshold_counts
from bench.metrics.ratios import ratio

COUNTS = st.tuples(*[st.integers(0, 200_704)] * 4)  # 448 x 448 pixels
MASKS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=64)

Compute = Callable[..., np.ndarray]


def counts_of(pixels: list[tuple[bool, bool]]) -> list[int]:
    """Return tp, fp, fn, tn of (predicted, true) pixels, one by one."""
    return [pixels.count(kind) for kind in [(True, True), (True, False), (False, True), (False, False)]]


def iou_of_sets(a: set[int], b: set[int]) -> float:
    return len(a & b) / len(a | b) if a | b else float("nan")


@given(MASKS)
def test_metrics_are_those_of_sets_of_pixels(pixels: list[tuple[bool, bool]]) -> None:
    counts = np.array(counts_of(pixels))
    pred = {i for i, (p, _) in enumerate(pixels) if p}
    true = {i for i, (_, t) in enumerate(pixels) if t}
    every = set(range(len(pixels)))
    crack, background = iou_of_sets(pred, true), iou_of_sets(every - pred, every - true)
    expected = {
        crack_iou: crack,
        mean_iou: (crack + background) / 2,
        dice: 2 * len(pred & true) / (len(pred) + len(true)) if pred or true else float("nan"),
        precision: len(pred & true) / len(pred) if pred else float("nan"),
        recall: len(pred & true) / len(true) if true else float("nan"),
    }
    for metric, value in expected.items():
        assert metric.compute(*counts) == pytest.approx(value, nan_ok=True), metric.NAME
    if pred & true:
        p, r = (expected[m] for m in (precision, recall))
        assert f1.compute(*counts) == pytest.approx(2 * p * r / (p + r))


@given(COUNTS)
def test_metrics_are_those_of_segmentation_models_pytorch(counts: tuple[int, int, int, int]) -> None:
    pairs: list[tuple[Compute, Callable[..., torch.Tensor]]] = [
        (crack_iou.compute, smp.iou_score),
        (f1.compute, smp.f1_score),
        (dice.compute, smp.f1_score),
        (precision.compute, smp.positive_predictive_value),
        (recall.compute, smp.recall),
    ]
    for ours, theirs in pairs:
        value = ours(*np.array(counts))
        tensors = [torch.tensor([[n]], dtype=torch.float64) for n in counts]
        expected = theirs(*tensors, reduction=None, zero_division=float("nan")).item()
        assert float(value) == pytest.approx(expected, nan_ok=True)


@given(COUNTS)
def test_dice_is_a_function_of_iou(counts: tuple[int, int, int, int]) -> None:
    iou, found = (float(m.compute(*np.array(counts))) for m in (crack_iou, dice))
    assert found == pytest.approx(2 * iou / (1 + iou), nan_ok=True)
    assert np.isnan(iou) or iou <= found


@given(COUNTS)
def test_f1_is_dice(counts: tuple[int, int, int, int]) -> None:
    assert np.array_equal(f1.compute(*np.array(counts)), dice.compute(*np.array(counts)), equal_nan=True)


@given(COUNTS)
def test_mean_iou_does_not_tell_crack_from_background(counts: tuple[int, int, int, int]) -> None:
    tp, fp, fn, tn = np.array(counts)
    found = mean_iou.compute(tp, fp, fn, tn), mean_iou.compute(tn, fn, fp, tp)
    assert np.array_equal(*found, equal_nan=True)


@pytest.mark.parametrize(
    ("case", "counts", "expected"),
    [
        ("no crack, none predicted", (0, 0, 0, 9), {}),
        (
            "no crack, some predicted",
            (0, 3, 0, 6),
            {"Crack IoU": 0, "Dice": 0, "F1": 0, "Precision": 0, "Two-class mIoU": 1 / 3},
        ),
        (
            "crack, none predicted",
            (0, 0, 3, 6),
            {"Crack IoU": 0, "Dice": 0, "F1": 0, "Recall": 0, "Two-class mIoU": 1 / 3},
        ),
        ("all crack, all predicted", (9, 0, 0, 0), {"Crack IoU": 1, "Dice": 1, "F1": 1, "Precision": 1, "Recall": 1}),
    ],
)
def test_where_nothing_is_there(case: str, counts: tuple[int, ...], expected: dict[str, float]) -> None:
    for metric in (crack_iou, dice, f1, mean_iou, precision, recall):
        value = float(metric.compute(*np.array(counts)))
        assert value == pytest.approx(expected.get(metric.NAME, float("nan")), nan_ok=True), f"{metric.NAME}: {case}"


def test_the_paper_s_relation_holds_in_its_own_row() -> None:
    # CFD, Context-CrackNet of Table 3: precision 0.6054, recall 0.8989 -> IoU 0.5668, Dice 0.7235
    tp = 1e6
    counts = tp, tp / 0.6054 - tp, tp / 0.8989 - tp, 0.0
    assert float(crack_iou.compute(*counts)) == pytest.approx(0.5668, abs=2e-4)
    assert float(dice.compute(*counts)) == pytest.approx(0.7235, abs=2e-4)


@given(st.lists(st.tuples(st.integers(-5, 100), st.integers(0, 100)), min_size=1, max_size=10))
def test_a_ratio_is_a_division_but_for_zero(pairs: list[tuple[int, int]]) -> None:
    tops, bottoms = np.array(pairs).T
    found = ratio(tops, bottoms)
    for (top, bottom), value in zip(pairs, found, strict=True):
        assert value == pytest.approx(top / bottom if bottom else float("nan"), nan_ok=True)


def test_a_ratio_broadcasts() -> None:
    assert ratio(np.array([[1], [2]]), np.array([2, 4])).tolist() == [[0.5, 0.25], [1.0, 0.5]]
    assert ratio(1, 4).shape == ()


def calibration_error(levels: list[int], true: list[bool]) -> float:
    """Return the product's calibration error of these pixels."""
    curve = threshold_counts(np.array([levels], np.uint8), np.array([true]))
    return float(expected_calibration_error.compute(*curve.T))


@given(st.lists(st.tuples(st.integers(0, 255), st.booleans()), min_size=1, max_size=64))
def test_calibration_error_is_that_of_fifteen_bins(pixels: list[tuple[int, bool]]) -> None:
    levels, true = map(list, zip(*pixels, strict=True))
    total = 0.0
    for number in range(15):
        inside = [
            ((level + 0.5) / 256, crack)
            for level, crack in pixels
            if number / 15 <= (level + 0.5) / 256 < (number + 1) / 15
        ]
        total += abs(sum(probability - crack for probability, crack in inside))
    assert calibration_error(levels, true) == pytest.approx(total / len(pixels), abs=1e-12)


def test_two_pixels_between_which_only_fifteen_bins_have_an_edge() -> None:
    # levels 10 and 19: p = 0.041 and 0.076, either side of 1/15; 10 bins would let their errors cancel
    assert calibration_error([10, 19], [True, False]) == pytest.approx((1 - 10.5 / 256 + 19.5 / 256) / 2)
