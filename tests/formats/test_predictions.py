"""Predictions: quantised so that 128 is one half exactly, written as grey PNGs, read with errors that name the file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.errors import UserError
from bench.formats import predictions


@pytest.mark.parametrize(
    ("prob", "level"),
    [
        (0.0, 0),
        (1 / 256, 1),
        (np.nextafter(np.float32(1 / 256), np.float32(0)), 0),
        (np.nextafter(np.float32(0.5), np.float32(0)), 127),
        (0.5, 128),
        (0.75, 192),
        (255 / 256, 255),
        (1.0, 255),
    ],
)
def test_levels_of_known_probabilities(prob: float, level: int) -> None:
    found = predictions.quantise(np.array([[prob]], np.float32))
    assert found.dtype == np.uint8
    assert found.tolist() == [[level]]


@given(st.floats(0, 1, width=32))
def test_a_level_says_on_which_side_of_each_threshold_a_probability_lies(prob: float) -> None:
    level = int(predictions.quantise(np.array([prob], np.float32))[0])
    assert (level >= 128) == (prob >= 0.5)
    for threshold in range(256):
        assert (level >= threshold) == (prob >= threshold / 256)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=20))
def test_levels_keep_the_order_of_probabilities(probs: list[float]) -> None:
    assert (np.diff(predictions.quantise(np.array(sorted(probs), np.float32)).astype(int)) >= 0).all()


def test_a_map_comes_back_to_the_bit(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (33, 50), dtype=np.uint8)
    predictions.write_one(tmp_path / "new", "x", levels)
    found = predictions.read_one(tmp_path / "new", "x", (33, 50))
    assert found.dtype == np.uint8
    assert np.array_equal(found, levels)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.png"]
    with Image.open(tmp_path / "new" / "x.png") as image:  # and is what another reader sees
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), levels)


def test_a_name_with_dots_stays_whole(tmp_path: Path) -> None:
    predictions.write_one(tmp_path, "a.b.jpg", np.zeros((2, 2), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.b.jpg.png"]
    assert predictions.read_one(tmp_path, "a.b.jpg", (2, 2)).shape == (2, 2)


def test_a_missing_prediction_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"x\.png is missing: every test item needs one prediction"):
        predictions.read_one(tmp_path, "x", (4, 4))


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.png is not a readable PNG"):
        predictions.read_one(tmp_path, "x", (4, 4))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_prediction_is_refused(tmp_path: Path, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    predictions.write_one(tmp_path, "x", levels)
    path = tmp_path / "x.png"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match=r"x\.png is not a readable PNG"):
        predictions.read_one(tmp_path, "x", (64, 64))


def test_one_flipped_bit_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    predictions.write_one(tmp_path, "x", np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    path = tmp_path / "x.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.png is not a readable PNG"):
        predictions.read_one(tmp_path, "x", (64, 64))


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((4, 4, 3), np.uint8), r"uint8 of shape \(4, 4, 3\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 of shape \(4, 4, 4\)"),
        (np.zeros((4, 4), np.uint16), r"uint16 of shape \(4, 4\)"),
    ],
)
def test_a_prediction_that_is_not_grey_bytes_is_refused(tmp_path: Path, array: np.ndarray, found: str) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), array)
    with pytest.raises(UserError, match=rf"x\.png must be 8-bit grey, found {found}"):
        predictions.read_one(tmp_path, "x", (4, 4))


def test_a_prediction_of_another_size_is_refused_width_first(tmp_path: Path) -> None:
    predictions.write_one(tmp_path, "x", np.zeros((4, 6), np.uint8))
    with pytest.raises(UserError, match=r"x\.png is 6x4 px, expected 4x6\."):
        predictions.read_one(tmp_path, "x", (6, 4))
