"""Squeezing: areas and nearest labels as the paper, or labels that keep a thin crack in one piece."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from bench.data.resize import resize
from bench.formats.prepared import IGNORED


def line(size: int) -> np.ndarray:
    """Return a mask with a diagonal crack of one pixel."""
    mask = np.zeros((size, size), np.uint8)
    cv2.line(mask, (3, 5), (size - 7, size - 40), 1, 1)
    return mask


def pieces(mask: np.ndarray) -> int:
    return int(label(mask == 1, connectivity=2).max())


def test_any_keeps_a_thin_crack_whole_where_nearest_breaks_it() -> None:
    mask = line(512)
    image = np.zeros((512, 512, 3), np.uint8)
    assert pieces(mask) == 1
    assert pieces(resize(image, mask, 320, "nearest")[1]) > 20
    assert pieces(resize(image, mask, 320, "any")[1]) == 1


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(40, 90), st.integers(40, 90))
def test_what_was_connected_stays_connected_and_is_hardly_thicker(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    path = rng.integers(0, (width, height), (4, 2)).astype(np.int32)
    cv2.polylines(mask, [path], False, 1, 1)
    shrunk = resize(np.zeros((height, width, 3), np.uint8), mask, 32, "any")[1]
    assert pieces(shrunk) == 1
    assert shrunk.sum() <= mask.sum()  # each pixel of the crack falls into one new pixel


def test_an_axis_that_grows_is_repeated_and_one_that_shrinks_keeps_its_cracks() -> None:
    labels = np.zeros((2, 8), np.uint8)
    labels[0, 1] = 1
    assert resize(np.zeros((2, 8, 3), np.uint8), labels, 4, "any")[1].tolist() == [[1, 0, 0, 0]] * 2 + [[0] * 4] * 2


def test_a_new_pixel_has_the_largest_class_beside_background() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[0, 0], labels[0, 1], labels[1, 0] = 1, 2, 2
    labels[2:, 2:] = 1
    image = np.zeros((4, 4, 3), np.uint8)
    assert resize(image, labels, 2, "any")[1].tolist() == [[2, 0], [0, 1]]


def test_ignored_pixels_stay_ignored_and_give_way_to_cracks() -> None:
    labels = np.full((4, 4), IGNORED, np.uint8)
    labels[0, 0] = 1
    found = resize(np.zeros((4, 4, 3), np.uint8), labels, 2, "any")[1]
    assert found.tolist() == [[1, IGNORED], [IGNORED, IGNORED]]


@pytest.mark.parametrize("how", ["nearest", "any"])
def test_at_its_own_size_nothing_changes(how: str) -> None:
    rng = np.random.default_rng(0)
    image, labels = rng.integers(0, 256, (32, 32, 3), np.uint8), rng.choice([0, 1, IGNORED], (32, 32)).astype(np.uint8)
    same, known = resize(image, labels, 32, how)  # type: ignore[arg-type]
    assert np.array_equal(same, image)
    assert np.array_equal(known, labels)


def test_images_shrink_by_area() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[8] * 3, [16] * 3], [[24] * 3, [32] * 3]]
    assert resize(image, np.zeros((4, 4), np.uint8), 2)[0][0, 0].tolist() == [20, 20, 20]
