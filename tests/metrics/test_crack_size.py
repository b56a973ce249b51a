"""Area, length and width of cracks, by hand."""

import cv2
import numpy as np
import pytest

from bench.metrics.crack_size import measure_cracks


def test_no_crack_has_no_width() -> None:
    size = measure_cracks(np.zeros((5, 7), bool))
    assert (size.share, size.length_px) == (0, 0)
    assert np.isnan(size.mean_width_px)


def test_a_bar_by_hand() -> None:
    """3 x 100 px; thinning shortens each end by about a pixel."""
    mask = np.zeros((50, 200), bool)
    mask[20:23, 50:150] = True
    size = measure_cracks(mask)
    assert size.share == 300 / 10_000
    assert size.length_px == pytest.approx(100, abs=3)
    assert size.mean_width_px == pytest.approx(3, rel=0.03)


def test_a_diagonal_is_as_long_as_pythagoras_says() -> None:
    size = measure_cracks(np.eye(101, dtype=bool))
    assert size.length_px == pytest.approx(100 * 2**0.5 + 1)


def test_a_corner_counts_two_steps_not_three() -> None:
    """An L of one pixel's width: 9 + 9 steps and one pixel; the skeleton may cut the corner by a diagonal."""
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5] = mask[14, 5:15] = True
    assert measure_cracks(mask).length_px == pytest.approx(19, abs=2 - 2**0.5 + 1e-9)


def test_two_pieces_add_up_and_place_does_not_matter() -> None:
    mask = np.zeros((60, 60), np.uint8)
    cv2.line(mask, (5, 5), (40, 30), 1, 3)
    one = measure_cracks(mask > 0)
    moved = measure_cracks(np.roll(mask, (20, 10), (0, 1)) > 0)
    assert moved == one
    both = measure_cracks(np.concatenate([mask, mask], axis=1) > 0)
    assert both.length_px == pytest.approx(2 * one.length_px)
    assert both.mean_width_px == pytest.approx(one.mean_width_px)
