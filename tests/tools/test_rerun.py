"""The band of a repeated training is a prediction interval; that a repeated one lies in it is in test_enter.py."""

import pytest

from bench.tools.rerun import band


def test_the_band_holds_95_percent_of_new_seeds() -> None:
    # mean 0.5, deviation 0.1 of three: t(0.975, 2) = 4.3027, times sqrt(1 + 1/3) = 4.9683
    low, high = band([0.4, 0.5, 0.6])
    assert (low, high) == pytest.approx((0.5 - 0.49683, 0.5 + 0.49683), abs=1e-4)
    assert band([0.5, 0.5, 0.5]) == pytest.approx((0.48, 0.52))
