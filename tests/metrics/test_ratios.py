"""Quotients of counts by hand, and where the denominator is 0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.ratios import f1, f1_of_hits, iou, ratio, where_crack

NAN = float("nan")


def test_by_hand() -> None:
    assert ratio([1, 0, 3], [2, 0, 4]).tolist() == pytest.approx([0.5, NAN, 0.75], nan_ok=True)
    assert iou(np.array(2), np.array(1), np.array(1)) == 0.5
    assert f1(np.array(2), np.array(1), np.array(1)) == pytest.approx(2 / 3)


@given(st.integers(1, 99), st.integers(0, 99), st.integers(0, 99))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(tp: int, fp: int, fn: int) -> None:
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    expected = 2 * precision * recall / (precision + recall)
    assert f1(np.array(tp), np.array(fp), np.array(fn)) == pytest.approx(expected)
    hits = f1_of_hits(np.array(tp), np.array(tp + fp), np.array(tp), np.array(tp + fn))
    assert hits == pytest.approx(expected)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((0, 0, 0, 0), NAN), ((0, 5, 0, 0), 0), ((0, 0, 0, 5), 0), ((0, 5, 0, 5), 0), ((5, 5, 5, 5), 1)],
)
def test_hits_where_a_mask_is_empty(counts: tuple[int, ...], expected: float) -> None:
    value = float(f1_of_hits(*map(np.array, counts)))
    assert value == pytest.approx(expected, nan_ok=True)


def test_a_curve_without_crack_is_nan() -> None:
    tp, fn = np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])
    assert where_crack(np.array([0.3, 0.4]), tp, fn).tolist() == pytest.approx([0.3, NAN], nan_ok=True)
