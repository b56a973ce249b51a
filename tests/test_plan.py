"""Schedules against hand-computed ones and against their bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.plan import makespan


@pytest.mark.parametrize(("seconds", "slots", "expected"), [([5], 3, 5), ([4, 3, 3], 2, 6), ([1] * 10, 4, 3)])
def test_hand_computed(seconds: list[float], slots: int, expected: float) -> None:
    assert makespan(seconds, slots) == expected


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=40), st.integers(1, 8))
def test_within_grahams_bound(seconds: list[float], slots: int) -> None:
    bound = max(sum(seconds) / slots, max(seconds))
    assert bound * (1 - 1e-9) <= makespan(seconds, slots) <= sum(seconds) / slots + max(seconds) + 1e-6
