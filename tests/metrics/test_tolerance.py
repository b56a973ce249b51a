"""Metrics with a tolerance: their columns, and values computed by hand."""

import numpy as np
import pytest

from bench.metrics.tolerance import f1, precision, recall, tolerant


def test_n_stands_for_the_tolerance() -> None:
    declared = tolerant(5, "pred_hit_Npx", "tp")
    assert declared.columns == ("pred_hit_5px", "tp")
    assert "5 px" in declared.about


def test_values_by_hand() -> None:
    pred_hit, true_hit, tp, fp, fn = np.array([[6], [8], [5], [5], [5]])
    assert precision(pred_hit, tp, fp).tolist() == [0.6]
    assert recall(true_hit, tp, fn).tolist() == [0.8]
    assert f1(pred_hit, true_hit, tp, fp, fn).tolist() == pytest.approx([2 * 0.6 * 0.8 / 1.4])


def test_empty_images_are_nan_and_one_sided_ones_are_0() -> None:
    zero, some = np.array([0]), np.array([4])
    assert np.isnan(precision(zero, zero, zero)).all()
    assert np.isnan(recall(zero, zero, zero)).all()
    assert np.isnan(f1(zero, zero, zero, zero, zero)).all()
    assert f1(zero, zero, zero, some, zero).tolist() == [0]  # prediction only
    assert f1(zero, zero, zero, zero, some).tolist() == [0]  # truth only
