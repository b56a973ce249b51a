"""Clutter: what may be on a surface darkens or covers it, within range, and only where asked."""

import numpy as np
import pytest

from bench.sample import clutter

SHAPE = (48, 64)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture
def surface() -> np.ndarray:
    return np.full((*SHAPE, 3), 120.0)


def test_random_numbers_and_colours_lie_between_their_ends() -> None:
    generator = rng()
    numbers = [clutter.between(generator, 2.0, 3.0) for _ in range(100)]
    assert 2 <= min(numbers) < max(numbers) <= 3
    assert clutter.pick(generator, ((1.0, 2.0, 3.0),)) == (1, 2, 3)
    for _ in range(20):
        down, right = clutter.place(generator, SHAPE)
        assert 0 <= down < 48
        assert 0 <= right < 64


@pytest.mark.parametrize("seed", range(3))
def test_chance_0_changes_nothing_and_chance_1_something(surface: np.ndarray, seed: int) -> None:
    for add in (
        lambda chance: clutter.lane(rng(seed), surface, 64.0, chance),
        lambda chance: clutter.joint(rng(seed), surface, 64.0, chance, 0.01, 0.4),
    ):
        assert np.array_equal(add(0.0), surface)
        assert not np.array_equal(add(1.0), surface)
    assert np.array_equal(clutter.cast_shadow(rng(seed), surface, 64.0, 0.0, 0.4), surface)


@pytest.mark.parametrize("seed", range(3))
def test_stains_and_shadows_only_darken(surface: np.ndarray, seed: int) -> None:
    assert (clutter.spots(rng(seed), surface, 64.0, 5, (0.05, 0.1), 0.5) <= surface).all()
    shadow = clutter.cast_shadow(rng(seed), surface, 64.0, 1.0, 0.4)
    assert (shadow <= surface).all()
    assert shadow.min() >= 0.6 * 120 - 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_masks_lie_between_0_and_1(seed: int) -> None:
    for field in (
        clutter.drips(rng(seed), SHAPE, 64.0, 0.08),
        clutter.pores(rng(seed), SHAPE, 64.0, 0.1, 0.3),
        clutter.form_lines(rng(seed), SHAPE, 64.0, 0.3),
        clutter.tree_shadow(rng(seed), SHAPE, 64.0),
    ):
        assert field.shape == SHAPE
        assert field.min() >= 0
        assert field.max() <= 1
