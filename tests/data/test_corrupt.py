"""Corruptions: of the stated strength, the same for each run, different for each item."""

import cv2
import numpy as np
import pytest

from bench.data.corrupt import CORRUPTIONS, corrupt

GREY = np.full((128, 128, 3), 120, np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_item_is_corrupted_alike_and_the_original_is_kept(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    before = image.copy()
    first = corrupt(image, name, "a")
    assert np.array_equal(image, before)
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert not np.array_equal(first, image)
    assert np.array_equal(first, corrupt(image, name, "a"))


@pytest.mark.parametrize("name", ["noise", "shadow"])
def test_what_is_random_differs_between_items(name: str) -> None:
    assert not np.array_equal(corrupt(GREY, name, "a"), corrupt(GREY, name, "b"))


def test_strengths() -> None:
    noise = corrupt(GREY, "noise", "a").astype(float) - 120
    assert noise.std() == pytest.approx(0.12 * 255, rel=0.05)
    assert noise.mean() == pytest.approx(0, abs=1)
    assert set(np.unique(corrupt(GREY, "brightness", "a"))) == {171}  # 120 + 0.2 * 255
    assert set(np.unique(corrupt(GREY, "shadow", "a"))) >= {60, 120}


def test_blur_has_a_standard_deviation_of_two_pixels() -> None:
    step = np.zeros((64, 64, 3), np.uint8)
    step[:, 32:] = 250
    density = np.diff(corrupt(step, "blur", "a")[32, :, 0].astype(float)) / 250  # the derivative of a blurred step
    position = np.arange(63)
    mean = (density * position).sum()
    assert np.sqrt((density * (position - mean) ** 2).sum()) == pytest.approx(2, rel=0.05)


def test_jpeg_has_quality_20_and_keeps_red_and_blue_apart() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, ::3, 0], image[::2, :, 2] = 230, 90  # red and blue of unlike detail
    quality = [cv2.IMWRITE_JPEG_QUALITY, 20]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    expected = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.array_equal(corrupt(image, "jpeg", "a"), expected)
