"""Duplicates and crops are found by what the images show, with the right part, and unlike images are not."""

import cv2
import numpy as np
import pytest

from bench.data.crops import find_crops, same_photograph
from bench.data.duplicates import TURNS, find_duplicates, thumbnail
from bench.data.features import extract


def photograph(seed: int, side: int = 600) -> np.ndarray:
    """Return a picture with structure at all scales, uint8 RGB."""
    generator = np.random.default_rng(seed)
    total = np.zeros((side, side, 3), np.float32)
    for cells in (4, 16, 64, 200):
        coarse = generator.standard_normal((cells, cells, 3)).astype(np.float32)
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 30 * total, 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8)


def grey(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def crop(image: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    return cv2.resize(image[top : top + height, left : left + width], (448, 448), interpolation=cv2.INTER_AREA)


CHANGES = {
    "jpeg": lambda x: jpeg(x, 30),
    "small": lambda x: cv2.resize(x, (150, 150), interpolation=cv2.INTER_AREA),
    "stretched": lambda x: cv2.resize(x, (300, 500), interpolation=cv2.INTER_LINEAR),
    "dark": lambda x: (x * 0.6).astype(np.uint8),
    "bright": lambda x: np.clip(x * 1.2 + 20, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(change: str) -> None:
    images = [photograph(seed) for seed in range(4)]
    images.append(CHANGES[change](images[1]))
    found = find_duplicates(np.stack([thumbnail(grey(image)) for image in images]))
    assert found[["a", "b", "turn"]].to_numpy().tolist() == [[1, 4, ""]]


@pytest.mark.parametrize("turn", range(8))
def test_all_eight_orientations_are_found_and_named(turn: int) -> None:
    image = photograph(0)
    seen = np.ascontiguousarray(np.rot90(image[:, ::-1] if turn >= 4 else image, turn % 4))
    found = find_duplicates(np.stack([thumbnail(grey(x)) for x in (seen, photograph(1), image)]))
    assert found[["a", "b", "turn"]].to_numpy().tolist() == [[0, 2, TURNS[turn]]]


def test_blank_images_are_not_alike() -> None:
    blank = thumbnail(np.full((64, 64), 100, np.uint8))
    assert find_duplicates(np.stack([blank, blank])).empty


def test_overlapping_crops_are_found_with_the_part_they_share() -> None:
    image = photograph(7)
    a, b = extract(crop(image, 0, 0, 400, 400)), extract(crop(image, 100, 200, 400, 300))
    others = [extract(photograph(seed, 448)) for seed in range(20, 26)]
    found = find_crops([a, *others, b])
    assert found[["a", "b"]].to_numpy().tolist() == [[0, 7]]
    parts = found.iloc[0][["a_left", "a_top", "a_right", "a_bottom", "b_left", "b_top", "b_right", "b_bottom"]]
    assert parts.to_numpy(float) == pytest.approx([0.5, 0.25, 1, 1, 0, 0, 2 / 3, 0.75], abs=0.02)


def test_crops_without_common_part_are_not_linked() -> None:
    image = photograph(7)
    a, b = extract(crop(image, 0, 0, 300, 300)), extract(crop(image, 300, 300, 300, 300))
    assert same_photograph(a.local, b.local) is None
