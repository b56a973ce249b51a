"""The augmentation: a pure function of its key, image and mask together, exact where numpy can do the same."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.training.augment import augment, build_augmentation
from bench.training.settings import AugmentSettings

NONE = AugmentSettings(0, 0, 0, 0, 0.1, 0.1, 30, 0, (0.0124, 0.0277), 0, 0.2, 0.2, 0.2, 0.1)
PAPER = AugmentSettings(0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 30, 0.2, (0.0124, 0.0277), 0.5, 0.2, 0.2, 0.2, 0.1)
SIDE = 32

Pair = tuple[np.ndarray, np.ndarray]


def changed(settings: AugmentSettings = NONE, **changes: Any) -> AugmentSettings:
    return AugmentSettings(**asdict(settings) | changes)


def pair(seed: int = 0, side: int = SIDE) -> Pair:
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 256, (side, side, 3), dtype=np.uint8)
    return image, (generator.random((side, side)) < 0.2).astype(np.uint8)


def square() -> Pair:
    """Return a white square on black and the mask of just that square: where one goes, the other must."""
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 12:30] = 1
    return np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2), mask


def same(a: Pair, b: Pair) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@given(st.tuples(st.integers(0, 2**31), st.integers(1, 1000), st.integers(0, 5000)))
def test_the_result_is_a_function_of_the_key(key: tuple[int, int, int]) -> None:
    first = augment(build_augmentation(PAPER), *pair(), key)
    used = build_augmentation(PAPER)
    for epoch in range(3):
        augment(used, *pair(epoch), (9, epoch, 9))
    assert same(augment(used, *pair(), key), first)


def test_seed_epoch_and_item_each_change_the_result() -> None:
    compose = build_augmentation(changed(noise_p=1))  # continuous: no two draws are alike
    found = [augment(compose, *pair(), key)[0].tobytes() for key in [(0, 1, 2), (1, 1, 2), (0, 2, 2), (0, 1, 3)]]
    assert len(set(found)) == 4


def test_the_arguments_stay_as_they_are() -> None:
    image, mask = pair()
    before = image.copy(), mask.copy()
    for item in range(20):
        augment(build_augmentation(PAPER), image, mask, (0, 1, item))
    assert same((image, mask), before)


def test_no_probability_is_the_identity() -> None:
    compose = build_augmentation(NONE)
    for item in range(10):
        assert same(augment(compose, *pair(item), (0, 1, item)), pair(item))


@pytest.mark.parametrize(
    ("changes", "flip"),
    [
        ({"horizontal_flip_p": 1}, np.fliplr),
        ({"vertical_flip_p": 1}, np.flipud),
        ({"horizontal_flip_p": 1, "vertical_flip_p": 1}, lambda a: np.rot90(a, 2)),
    ],
)
def test_a_sure_flip_is_numpy_s(changes: dict[str, float], flip: Callable[[np.ndarray], np.ndarray]) -> None:
    image, mask = pair()
    assert same(augment(build_augmentation(changed(**changes)), image, mask, (0, 1, 0)), (flip(image), flip(mask)))


def test_a_sure_turn_is_one_of_numpy_s_four() -> None:
    image, mask = pair()
    compose = build_augmentation(changed(quarter_turn_p=1))
    turns = set()
    for item in range(40):
        found = augment(compose, image, mask, (0, 1, item))
        turns |= {k for k in range(4) if same(found, (np.rot90(image, k), np.rot90(mask, k)))}
    assert turns == {0, 1, 2, 3}


def test_a_flip_comes_as_often_as_asked() -> None:
    image, mask = pair(side=32)
    compose = build_augmentation(changed(horizontal_flip_p=0.25))
    flips = sum(not np.array_equal(augment(compose, image, mask, (0, 1, item))[0], image) for item in range(400))
    assert 65 <= flips <= 135  # 100 expected, standard deviation 8.7


@pytest.mark.parametrize("settings", [changed(affine_p=1), PAPER], ids=["affine", "paper"])
def test_shapes_kinds_and_labels_stay(settings: AugmentSettings) -> None:
    image, mask = pair()
    compose = build_augmentation(settings)
    for item in range(40):
        new_image, new_mask = augment(compose, image, mask * 2, (0, 1, item))
        assert new_image.shape == image.shape
        assert new_mask.shape == mask.shape
        assert new_image.dtype == new_mask.dtype == np.uint8
        assert set(np.unique(new_mask)) <= {0, 2}  # no label in between


def test_image_and_mask_move_together() -> None:
    image, mask = square()
    compose = build_augmentation(changed(PAPER, noise_p=0, jitter_p=0, affine_p=1))
    moved = 0
    for item in range(40):
        new_image, new_mask = augment(compose, image, mask, (0, 1, item))
        wrong = (new_image[:, :, 0] > 127) != (new_mask > 0)
        assert wrong.sum() <= 0.06 * mask.sum()  # only along the edges, where the image is interpolated
        moved += not np.array_equal(new_mask, mask)
    assert moved == 40


def test_an_affine_change_stays_in_its_range_and_fills_with_black() -> None:
    image, mask = square()
    centre = np.argwhere(mask).mean(0)
    compose = build_augmentation(changed(affine_p=1, rotate_deg=0))
    shifts, areas = [], []
    for item in range(60):
        _, new_mask = augment(compose, image, mask, (0, 1, item))
        shifts.append(np.abs(np.argwhere(new_mask).mean(0) - centre).max())
        areas.append(new_mask.sum() / mask.sum())
    assert 3 < max(shifts) < 6.4 + 0.1 * 32 + 1  # 0.1 of the side, what scaling about the middle moves, one pixel
    assert 0.9**2 - 0.05 < min(areas) < 0.9
    assert 1.1 < max(areas) < 1.1**2 + 0.05
    white, full = np.full((64, 64, 3), 255, np.uint8), np.ones((64, 64), np.uint8)
    outside = [augment(compose, white, full, (0, 1, item)) for item in range(20)]
    assert any((new_mask == 0).any() for _, new_mask in outside)
    assert all((new_image[new_mask == 0] < 255).all() for new_image, new_mask in outside)


def test_noise_has_the_deviation_asked_for_and_leaves_the_mask() -> None:
    image, mask = np.full((64, 64, 3), 128, np.uint8), np.ones((64, 64), np.uint8)
    compose = build_augmentation(changed(noise_p=1))
    deviations = []
    for item in range(30):
        noisy, same_mask = augment(compose, image, mask, (0, 1, item))
        assert np.array_equal(same_mask, mask)
        assert abs(noisy.astype(float).mean() - 128) < 0.6
        deviations.append(noisy.astype(float).std())
        channels = noisy.reshape(-1, 3).T.astype(float)
        assert np.abs(np.corrcoef(channels) - np.eye(3)).max() < 0.08  # independent
    cut = 0.5  # the library cuts the noise to whole grey levels towards zero, which takes up to half a level
    assert 0.0124 * 255 - cut < min(deviations) < max(deviations) < 0.0277 * 255 + 0.2
    assert max(deviations) - min(deviations) > 1


def test_jitter_changes_colours_only() -> None:
    image, mask = pair()
    compose = build_augmentation(changed(jitter_p=1))
    results = [augment(compose, image, mask, (0, 1, item)) for item in range(10)]
    assert all(np.array_equal(new_mask, mask) for _, new_mask in results)
    assert not any(np.array_equal(new_image, image) for new_image, _ in results)


def test_brightness_stays_in_its_range() -> None:
    image, mask = np.full((8, 8, 3), 100, np.uint8), np.zeros((8, 8), np.uint8)
    compose = build_augmentation(changed(jitter_p=1, contrast=0, saturation=0, hue=0))
    levels = [int(augment(compose, image, mask, (0, 1, item))[0].mean()) for item in range(100)]
    assert 79 <= min(levels) < 85
    assert 115 < max(levels) <= 120
