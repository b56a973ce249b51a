"""Tiles: they cover an image, each pixel counts once, and together they are the image again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.tiles import cut, ignore_covered, stitch, tile_places
from bench.formats.prepared import IGNORED

lengths = st.integers(1, 40)


@pytest.mark.parametrize(
    ("height", "width", "side", "stride", "expected"),
    [
        (8, 8, 8, 8, [(0, 0)]),
        (8, 20, 8, 8, [(0, 0), (0, 8), (0, 12)]),
        (8, 16, 8, 8, [(0, 0), (0, 8)]),
        (8, 12, 8, 4, [(0, 0), (0, 4)]),
        (5, 3, 8, 8, [(0, 0)]),
        (10, 10, 8, 8, [(0, 0), (0, 2), (2, 0), (2, 2)]),
    ],
)
def test_the_places_by_hand(height: int, width: int, side: int, stride: int, expected: list[tuple[int, int]]) -> None:
    assert tile_places(height, width, side, stride) == expected


@given(lengths, lengths, st.sampled_from([4, 8, 16]), st.integers(1, 16))
def test_each_pixel_counts_once_and_the_tiles_are_the_image(height: int, width: int, side: int, stride: int) -> None:
    stride = min(stride, side)
    rng = np.random.default_rng([height, width, side])
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    labels = rng.integers(0, 2, (height, width), np.uint8)
    places = tile_places(height, width, side, stride)
    tiles = [cut(image, labels, place, side) for place in places]
    assert all(part.shape == (side, side, 3) and known.shape == (side, side) for part, known in tiles)
    once = [ignore_covered(known, places, i) for i, (_, known) in enumerate(tiles)]
    assert sum(int((tile != IGNORED).sum()) for tile in once) == height * width
    assert sum(int((tile == 1).sum()) for tile in once) == int(labels.sum())
    assert np.array_equal(stitch([part for part, _ in tiles], places, height, width), image)
    assert np.array_equal(stitch(once, places, height, width), labels)


def test_a_small_image_is_mirrored_and_its_border_ignored() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2)
    part, known = cut(image, np.ones((2, 3), np.uint8), (0, 0), 4)
    assert part[..., 0].tolist() == [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [0, 1, 2, 2]]
    assert known.tolist() == [[1, 1, 1, 255], [1, 1, 1, 255], [255] * 4, [255] * 4]


def test_where_tiles_overlap_the_first_prediction_counts() -> None:
    tiles = [np.full((4, 4), value, np.uint8) for value in (10, 20)]
    assert stitch(tiles, [(0, 0), (0, 2)], 4, 6)[0].tolist() == [10, 10, 10, 10, 20, 20]
