"""Labels that are off by one pixel: by hand, and against moving them pixel by pixel."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.morphology import skeletonize

from bench.formats.scores import MOVED, MOVEMENTS
from bench.metrics.moved_labels import SHIFTS, count_moved_labels, moved_labels

Mask = np.ndarray
CASES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.bool_, shape)] * 3)
)
NEIGHBOURS = [(0, 0), *SHIFTS.values()]


def label(true: Mask, known: Mask, row: int, column: int) -> bool | None:
    """Return the label of a pixel; None where it is unknown."""
    inside = 0 <= row < true.shape[0] and 0 <= column < true.shape[1] and known[row, column]
    return bool(true[row, column]) if inside else None


def by_pixel(true: Mask, skeleton: Mask, known: Mask) -> dict[str, Mask]:
    """Return every moved truth, a pixel at a time."""
    found = {how: np.zeros_like(true) for how in MOVEMENTS}
    for row, column in product(*map(range, true.shape)):
        if not known[row, column]:
            continue
        around = [label(true, known, row + down, column + right) for down, right in NEIGHBOURS]
        found["dilated"][row, column] = True in around
        found["eroded"][row, column] = (around[0] and False not in around) or skeleton[row, column]
        for how, (down, right) in SHIFTS.items():
            before = label(true, known, row - down, column - right)
            found[how][row, column] = true[row, column] if before is None else before
    return found


@settings(deadline=None)
@given(CASES)
def test_labels_move_as_pixel_by_pixel(case: tuple[Mask, Mask, Mask]) -> None:
    known, true, pred = case[0], case[1] & case[0], case[2] & case[0]
    skeleton = skeletonize(true)
    expected = by_pixel(true, skeleton, known)
    moved = dict(moved_labels(true, skeleton, known))
    assert list(moved) == MOVEMENTS
    for how, mask in moved.items():
        np.testing.assert_array_equal(mask, expected[how], how)
    counts = count_moved_labels(pred, true, skeleton, known)
    assert list(counts) == MOVED
    for how in MOVEMENTS:
        assert counts[f"tp_{how}"] == (pred & expected[how]).sum()
        assert counts[f"fn_{how}"] == (~pred & expected[how]).sum()


@given(CASES)
def test_without_ignored_pixels_all_are_known(case: tuple[Mask, Mask, Mask]) -> None:
    _, true, pred = case
    every = np.ones_like(true)
    skeleton = skeletonize(true)
    assert count_moved_labels(pred, true, skeleton, None) == count_moved_labels(pred, true, skeleton, every)


def test_a_bar_by_hand() -> None:
    true = np.zeros((12, 20), bool)
    true[4:8, 5:15] = True  # 4 x 10
    counts = count_moved_labels(true, true, skeletonize(true), None)
    assert (counts["tp_dilated"], counts["fn_dilated"]) == (40, 2 * 10 + 2 * 4)  # without corners
    assert (counts["tp_eroded"], counts["fn_eroded"]) == (2 * 8, 0)
    assert (counts["tp_up"], counts["fn_up"]) == (counts["tp_down"], counts["fn_down"]) == (30, 10)
    assert (counts["tp_left"], counts["fn_left"]) == (counts["tp_right"], counts["fn_right"]) == (36, 4)


def test_a_line_one_pixel_wide_does_not_erode_away() -> None:
    true = np.zeros((9, 20), bool)
    true[4] = True
    moved = dict(moved_labels(true, skeletonize(true), None))
    np.testing.assert_array_equal(moved["eroded"], true)
    assert moved["dilated"].sum() == 3 * 20
    np.testing.assert_array_equal(moved["left"], true)  # it goes on outside the image


def test_an_image_without_crack_has_none_however_labels_move() -> None:
    none = np.zeros((5, 6), bool)
    assert set(count_moved_labels(~none, none, none, None).values()) == {0}
