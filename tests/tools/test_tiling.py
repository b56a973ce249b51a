"""Tiles: what they give back, and how they are weighted where they overlap."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tools.tiling import ahead, squeezed
from bench.tools.tiling import tiled as tiled_in_batches


def tiled(predict, image, tile, overlap, batch=1):
    return tiled_in_batches(lambda parts: np.stack([predict(part) for part in parts]), image, tile, overlap, batch)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(8, 40), st.floats(0, 0.9), st.integers(1, 7))
def test_tiles_that_agree_give_back_what_they_were_cut_from(height, width, tile, overlap, batch):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    seen = tiled(lambda part: part[..., 0].astype(np.float32) / 255, image, tile, overlap, batch)
    assert seen.shape == (height, width)
    assert np.abs(seen - image[..., 0] / 255).max() < 1e-5


def test_overlapping_tiles_are_weighted_by_the_distance_to_their_border():
    """Two tiles of 4 px, at columns 0 and 2; each is predicted as its mean red value: 30 and 90 of 255."""
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 2:4], image[:, 4:] = 60, 120
    prob = tiled(lambda part: np.full(part.shape[:2], part[..., 0].mean() / 255, np.float32), image, 4, 0.5)
    outer = [30, 30, 60, 60, 90, 90]  # in a tile's first and last row all weights are 1
    inner = [30, 30, (2 * 30 + 90) / 3, (30 + 2 * 90) / 3, 90, 90]  # weights 1, 2, 2, 1
    assert np.allclose(255 * prob, [outer, inner, inner, outer], atol=1e-3)


def test_an_error_at_the_border_of_a_tile_counts_less_than_the_prediction_of_its_neighbour():
    def blind_at_the_border(part):
        prob = np.zeros(part.shape[:2], np.float32)
        prob[1:-1, 1:-1] = 1
        return prob

    prob = tiled(blind_at_the_border, np.zeros((4, 6, 3), np.uint8), 4, 0.5)
    assert np.allclose(prob[1], [0, 1, 2 / 3, 2 / 3, 1, 0], atol=1e-6)  # 1/2 if both tiles counted the same


def test_a_squeezed_image_comes_back_at_its_size():
    image = np.zeros((40, 100, 3), np.uint8)
    image[:, 50:] = 255
    seen = []
    prob = squeezed(lambda parts: seen.append(parts.shape) or parts[..., 0].astype(np.float32) / 255, image, 20)
    assert seen == [(1, 20, 20, 3)]
    assert prob.shape == (40, 100)
    assert (prob[:, :45] == 0).all()
    assert (prob[:, 55:] == 1).all()


def test_threads_give_the_same_as_one_and_work_ahead_by_a_bounded_number():
    image = np.random.default_rng(0).integers(0, 256, (70, 90, 3)).astype(np.uint8)

    def predict(parts):
        return parts[..., 0].astype(np.float32) / 255

    with ThreadPoolExecutor(3) as pool:
        assert np.array_equal(
            tiled_in_batches(predict, image, 16, 0.5, 2, pool), tiled_in_batches(predict, image, 16, 0.5, 2)
        )
        begun = []
        results = ahead(lambda item: begun.append(item) or item, range(100), pool)
        assert next(results) == 0
        assert len(begun) <= 6
        assert list(results) == list(range(1, 100))


def test_an_error_in_a_thread_is_raised():
    def fail(item):
        raise ValueError(item)

    with ThreadPoolExecutor(2) as pool, pytest.raises(ValueError, match="7"):
        list(ahead(fail, [7], pool))
