"""Metrics of arrays: by hand, like the stage evaluate, and whatever the encoding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench import evaluate, plugins
from bench.errors import UserError
from bench.metrics.counting import count_image
from bench.metrics.ratios import ratio

MASKS = arrays.arrays(bool, (6, 7))
TRUE = np.array([[0, 1, 1, 0], [0, 0, 1, 1]])
PRED = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])


def same(first: dict[str, float], second: dict[str, float]) -> bool:
    return first.keys() == second.keys() and np.allclose(list(first.values()), list(second.values()), equal_nan=True)


def test_the_metrics_are_those_of_the_counts_by_hand() -> None:
    found = evaluate(PRED, TRUE)  # 3 hits, 1 false alarm, 1 miss, 3 background
    assert found["crack_iou"] == pytest.approx(3 / 5)
    assert found["dice"] == pytest.approx(6 / 8)
    assert found["precision"] == found["recall"] == pytest.approx(3 / 4)
    assert found["accuracy"] == pytest.approx(6 / 8)
    assert found["mean_iou"] == pytest.approx(3 / 5)
    assert sorted(found) == plugins.names("metrics")


@pytest.mark.parametrize("scale", [1, 255, True, 1.0, 255.0])
def test_the_encoding_of_a_mask_changes_nothing(scale: float) -> None:
    kind = np.uint8 if isinstance(scale, int) and scale is not True else type(scale)
    for pred in ((PRED * scale).astype(kind), PRED.astype(bool)):
        assert same(evaluate(pred, (TRUE * scale).astype(kind)), evaluate(PRED, TRUE))


def test_a_mask_of_0_and_1_is_not_empty() -> None:
    assert evaluate(TRUE.astype(np.uint8), TRUE.astype(np.uint8))["crack_iou"] == 1


@given(MASKS, MASKS)
def test_one_image_has_one_value_under_all_averages(pred: np.ndarray, true: np.ndarray) -> None:
    assert same(evaluate(pred, true), evaluate(pred, true, average="image_mean"))
    row, _ = count_image(np.where(pred, 255, 0).astype(np.uint8), true)
    iou = ratio(row["tp"], row["tp"] + row["fp"] + row["fn"])
    assert evaluate(pred, true)["crack_iou"] == pytest.approx(float(iou), nan_ok=True)


def test_images_are_pooled_or_averaged() -> None:
    pred, true = np.stack([PRED, 0 * PRED]), np.stack([TRUE, TRUE])
    assert evaluate(pred, true)["crack_iou"] == pytest.approx(3 / (5 + 4))
    assert evaluate(pred, true, average="image_mean")["crack_iou"] == pytest.approx((3 / 5 + 0) / 2)
    assert np.isnan(evaluate(pred, true)["ods_image_mean"])


def test_probabilities_count_from_one_half_and_at_every_threshold() -> None:
    found = evaluate(np.where(TRUE, 0.4, 0.1), TRUE)
    assert found["crack_iou"] == 0
    assert found["ods"] == found["average_precision"] == 1


def test_pixels_that_are_not_known_do_not_count() -> None:
    true = TRUE.copy()
    true[0] = 99  # unknown
    assert evaluate(PRED, true, known=true != 99)["crack_iou"] == 1


@given(st.integers(2, 7))
def test_codes_are_refused_by_the_name_of_the_array(code: int) -> None:
    codes = TRUE.copy()
    codes[0, 0] = code
    with pytest.raises(UserError, match=f"^true contains the values 0 .* 1 .* {code} "):
        evaluate(PRED, codes)
    with pytest.raises(UserError, match=f"^pred contains the values 0 .* 1 .* {code} "):
        evaluate(codes, TRUE)


@pytest.mark.parametrize(
    ("pred", "true", "said"),
    [
        (PRED, TRUE[:1], r"pred has shape \(2, 4\) and true \(1, 4\)"),
        (PRED[0], TRUE[0], r"pred is int64 of shape \(4,\)"),
        (PRED, TRUE.astype(object), "true is object"),
        (PRED, np.where(TRUE, 0.75, 0.25), "true contains float64"),
        (np.zeros((0, 4)), np.zeros((0, 4)), r"pred is float64 of shape \(0, 4\)"),
    ],
)
def test_what_cannot_be_compared_is_refused(pred: np.ndarray, true: np.ndarray, said: str) -> None:
    with pytest.raises(UserError, match=said):
        evaluate(pred, true)


def test_unknown_averages_and_masks_of_known_pixels_are_refused() -> None:
    with pytest.raises(UserError, match="average is 'batch_mean'"):
        evaluate(PRED, TRUE, average="batch_mean")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="known is int64"):
        evaluate(PRED, TRUE, known=TRUE)
