"""Overlapping crops: which part each shows of the other, and which pairs are compared."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from bench.data.crops import candidates, find_crops, image_vectors, same_photograph
from bench.data.features import Local, extract


def picture(seed: int, side: int = 400) -> np.ndarray:
    """Return an RGB image with structure at several scales."""
    generator = np.random.default_rng(seed)
    total = np.zeros((side, side, 3), np.float32)
    for cells in (4, 16, 64, 150):
        coarse = generator.standard_normal((cells, cells, 3)).astype(np.float32)
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 30 * total, 0, 255).astype(np.uint8)


def test_a_left_half_and_the_whole_show_the_expected_parts() -> None:
    whole = picture(0)
    left = np.ascontiguousarray(whole[:, :200])
    overlap = same_photograph(extract(whole).local, extract(left).local)
    assert overlap is not None
    assert overlap.of_a == pytest.approx((0, 0, 0.5, 1), abs=0.02)  # left, top, right, bottom
    assert overlap.of_b == pytest.approx((0, 0, 1, 1), abs=0.02)


def test_unlike_images_and_images_without_points_do_not_overlap() -> None:
    assert same_photograph(extract(picture(0)).local, extract(picture(1)).local) is None
    empty = Local(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8), np.zeros((128, 128), np.uint8))
    assert same_photograph(extract(picture(0)).local, empty) is None


def test_pairs_are_found_by_position() -> None:
    images = [picture(0), picture(1), picture(0)[:, 150:], picture(2)]
    found = find_crops([extract(np.ascontiguousarray(image)) for image in images])
    assert found[["a", "b"]].to_numpy().tolist() == [[0, 2]]
    assert found.loc[0, "a_left"] == pytest.approx(150 / 400, abs=0.02)


def test_candidates_are_the_nearest_images_of_each() -> None:
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], np.float32)
    assert candidates(vectors, 1) == {(0, 1), (2, 3)}
    assert candidates(vectors[:1], 5) == set()
    assert len(candidates(vectors, 99)) == 6


def test_image_vectors_have_unit_norm() -> None:
    vectors = image_vectors([extract(picture(seed)).local for seed in range(3)])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    assert vectors[0] @ vectors[1] < 0.9


def brickwork(seed: int) -> np.ndarray:
    """Return a wall of bricks of one size; places, colours and noise differ."""
    generator = np.random.default_rng(seed)
    image = np.full((300, 300, 3), 150, np.float32)
    left, top = generator.integers(0, 75), generator.integers(0, 30)
    for row in range(-1, 12):
        for column in range(-2, 6):
            x, y = int(column * 75 + left + (row % 2) * 37), int(row * 30 + top)
            colour = (100 + generator.normal(0, 8), 70 + generator.normal(0, 8), 60.0)
            cv2.rectangle(image, (x + 3, y + 3), (x + 72, y + 27), colour, -1)
    return np.clip(image + generator.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_different_walls_of_bricks_do_not_overlap_and_crops_of_one_do() -> None:
    wall = brickwork(99)
    images = [*(brickwork(seed) for seed in range(20)), wall[:, :220], wall[:, 70:]]
    features = [extract(np.ascontiguousarray(image)) for image in images]
    alike = sum(same_photograph(a.local, b.local) is not None for a, b in combinations(features[:20], 2))
    assert alike > 50  # of 190 pairs, by points and correlation alone
    found = find_crops(features)
    assert [20, 21] in found[["a", "b"]].to_numpy().tolist()
    assert len(found) <= 5
    sets = ["bricks"] * len(features) + ["others"] * 4
    others = [extract(picture(seed)) for seed in (0, 1, 2)] + [extract(np.ascontiguousarray(picture(0)[:, 150:]))]
    assert [22, 25] in find_crops([*features, *others], 25, sets)[["a", "b"]].to_numpy().tolist()
