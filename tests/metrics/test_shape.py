"""Shapes of two masks: by hand, by trying all pairs of pixels, and by another matching."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from bench.metrics.shape import count_shapes, matched, pieces, surface_distances, widest

MASKS = st.integers(2, 9).flatmap(lambda side: st.tuples(*[hnp.arrays(np.bool_, (side, side))] * 2))


def border(mask: np.ndarray) -> np.ndarray:
    """Return the points of a mask that have one of their four neighbours outside."""
    padded = np.pad(mask, 1)
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~around)


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_surface_distances_are_those_of_all_pairs_of_border_pixels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = surface_distances(*pair, 7.5)
    if not pair[0].any() or not pair[1].any():
        expected = np.nan if pair[0].any() == pair[1].any() else 7.5
        assert found == pytest.approx((expected, expected), nan_ok=True)
        return
    apart = cdist(border(pair[0]), border(pair[1]))
    there, back = apart.min(1), apart.min(0)
    expected = max(np.percentile(there, 95), np.percentile(back, 95)), np.concatenate([there, back]).mean()
    assert found == pytest.approx(expected, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_the_matching_is_as_large_as_the_best_assignment(pair: tuple[np.ndarray, np.ndarray]) -> None:
    wide = [np.kron(mask, np.pad([[True]], ((0, 19), (0, 19)))) for mask in pair]
    one, other = (np.argwhere(mask) // (20, 20) for mask in wide)
    assert matched(*wide, 1.5) == len({tuple(p) for p in one} & {tuple(p) for p in other})
    shifted = [np.roll(mask, shift, 0) for mask, shift in zip(wide, (0, 1), strict=True)]
    points = [np.argwhere(mask) for mask in shifted]
    if all(map(len, points)):
        near = cdist(*points) <= 1.5
        rows, columns = linear_sum_assignment(near, maximize=True)
        assert matched(*shifted, 1.5) == near[rows, columns].sum()


def test_a_pixel_has_at_most_one_partner() -> None:
    one, other = np.zeros((2, 400, 400), bool)
    one[100, 100], other[99:102, 99:102] = True, True
    assert matched(one, other, 2) == matched(other, one, 2) == 1


def test_pieces_touch_at_corners() -> None:
    assert pieces(np.eye(4, dtype=bool)) == 1
    assert pieces(np.zeros((4, 4), bool)) == 0


@pytest.mark.parametrize("width", range(1, 9))
def test_the_greatest_width_of_bars_is_that_of_the_widest(width: int) -> None:
    mask = np.zeros((40, 60), bool)
    mask[10 : 10 + width, 5:50], mask[30, 5:50] = True, True
    assert widest(mask) == widest(mask.T) == width
    assert widest(np.zeros_like(mask)) == 0


def test_where_a_crack_lies_in_the_image_changes_nothing() -> None:
    one, other = np.zeros((2, 90, 120), bool)
    one[40:44, 20:60], other[42:45, 25:70] = True, True
    thin = np.zeros((2, 90, 120), bool)
    thin[0, 41, 22:58], thin[1, 43, 26:69] = True, True
    found = count_shapes(one, other, *thin)
    moved = count_shapes(*(np.roll(mask, (-39, -19), (0, 1)) for mask in (one, other, *thin)))
    assert moved == found
    assert found["hausdorff95_px"] == pytest.approx(surface_distances(one, other, 150.0)[0])
    assert found["width_max_pred"] == 4
    assert count_shapes(one, np.zeros_like(one), thin[0], np.zeros_like(one))["hausdorff95_px"] == 150
