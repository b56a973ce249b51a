"""Cracks: walks reach their goal, labels and darkness lie on the path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sample.cracks import Crack, Style, crossing, darkness, label, trace_crack, walk

STYLE = Style(half_width=(0.01, 0.02), depth=(0.4, 0.8))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def straight(half: float = 2.0) -> Crack:
    path = np.stack([np.full(60, 16.5), np.linspace(2, 30, 60)], 1)
    return Crack(path, np.full(60, half), np.full(60, 0.8))


@given(st.integers(0, 50), st.floats(0, 1))
def test_a_walk_begins_at_its_start_with_even_steps(seed: int, wander: float) -> None:
    path = walk(rng(seed), (3.0, 4.0), (90.0, 60.0), 2.0, wander)
    assert path[0].tolist() == [3, 4]
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps == pytest.approx(2)


def test_a_walk_that_does_not_wander_is_straight_to_the_goal() -> None:
    path = walk(rng(), (0.0, 0.0), (30.0, 40.0), 1.0, 0.0)
    assert np.linalg.norm(path[-1] - [30, 40]) <= 1
    assert path[:, 0] * 40 == pytest.approx(path[:, 1] * 30, abs=1e-6)


def test_a_label_is_a_band_of_the_radius_around_the_path() -> None:
    mask = label([straight()], [np.full(60, 3.0)], (32, 32), None)
    assert mask.any()
    rows = np.flatnonzero(mask.any(1))
    assert rows.min() >= 16.5 - 3 - 1
    assert rows.max() <= 16.5 + 3
    assert not label([], [], (32, 32), None).any()


def test_darkness_is_at_most_the_depth_and_falls_off() -> None:
    dark = darkness([straight()], (32, 32), 1.0)
    assert dark.max() == pytest.approx(0.8, abs=0.05)
    assert dark.min() == 0
    assert dark[16, 16] > dark[19, 16] >= dark[24, 16] == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_first_crack_crosses_the_image(seed: int) -> None:
    cracks = crossing(rng(seed), (64, 64), 64.0, STYLE, 1.0, ())
    path = cracks[0].path
    assert np.ptp(path[:, 0]) > 0.8 * 64  # upright
    assert all(len(c.path) == len(c.half_px) == len(c.depth) for c in cracks)
    assert all((c.half_px > 0).all() and (c.depth >= 0).all() and (c.depth <= 0.8 + 1e-9).all() for c in cracks)


def test_a_tapered_end_is_thinner() -> None:
    path = np.stack([np.arange(50.0), np.arange(50.0)], 1)
    even = Style(half_width=(0.02, 0.02), depth=(0.5, 0.5), uneven=0.0)
    crack = trace_crack(rng(), path, even, 100.0, 1.0, (False, True))
    assert crack.half_px[0] == pytest.approx(2.0)
    assert crack.half_px[-1] < 0.5
