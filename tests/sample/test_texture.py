"""Textures: ranges, shapes, and the same numbers for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sample import texture as tx


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_smooth_step_rises_from_0_to_1(a: float, b: float) -> None:
    low, high = sorted((a, b))
    values = tx.smooth(np.array([low, high]), -1.0, 1.0)
    assert 0 <= values[0] <= values[1] <= 1
    assert tx.smooth(np.array([-1.0, 0.0, 1.0]), -1.0, 1.0).tolist() == [0, 0.5, 1]


@given(st.integers(4, 40), st.integers(4, 40), st.floats(1, 50), st.integers(0, 9))
def test_value_noise_stays_between_minus_1_and_1_and_repeats(height: int, width: int, cell: float, seed: int) -> None:
    noise = tx.value_noise(rng(seed), (height, width), cell)
    assert noise.shape == (height, width)
    assert np.abs(noise).max() <= 1
    assert np.array_equal(noise, tx.value_noise(rng(seed), (height, width), cell))


def test_pixel_noise_has_mean_0_and_deviation_1() -> None:
    noise = tx.pixel_noise(rng(), (200, 200))
    assert (noise.mean(), noise.std()) == pytest.approx((0, 1), abs=0.02)


def test_stones_have_no_negative_edge_distance() -> None:
    tone, hue, edge = tx.stones(rng(), (40, 50), 8.0)
    assert edge.shape == (40, 50)
    assert edge.min() >= 0
    assert min(tone.min(), hue.min()) >= 0
    assert max(tone.max(), hue.max()) < 1


def test_a_band_and_a_cover_by_hand() -> None:
    band = tx.band((5, 7), (2.5, 3.5), (1.0, 0.0), 1.0, 1.0)  # upright, through the middle
    assert band[0].tolist() == [0, 0, 0.5, 1, 0.5, 0, 0]
    covered = tx.cover(np.full((1, 2, 3), 100.0), np.array([[0.0, 0.25]]), 200.0)
    assert covered[0, :, 0].tolist() == [100, 125]


def test_a_tint_keeps_the_mean_of_the_channels() -> None:
    assert tx.tinted(np.array([[120.0]]), (90, 120, 150)).mean() == pytest.approx(120)
    assert tx.relief(np.full((4, 4), 7.0)).tolist() == np.zeros((4, 4)).tolist()
