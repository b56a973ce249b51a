"""Label values: whatever a tool stored, the same mask is read, or a file is refused by name."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.data.labels import read_label, read_stored
from bench.errors import UserError
from tests.fixtures.masks import AS_BINARY, layers, pair, palette

MASK = pair(0)[1]


def save(path: Path, stored: Image.Image | np.ndarray) -> Path:
    (stored if isinstance(stored, Image.Image) else Image.fromarray(stored)).save(path)
    return path


@pytest.mark.parametrize("kind", AS_BINARY)
def test_crack_is_the_higher_of_two_values(tmp_path: Path, kind: str) -> None:
    store, suffix = AS_BINARY[kind]
    values = read_label(save(tmp_path / f"a{suffix}", store(1, MASK)))
    assert values.dtype == np.uint8
    if suffix == ".jpg":
        assert ((values > 127) == (MASK > 0)).mean() > 0.99
    else:
        assert np.array_equal(values > 0, MASK > 0)
        assert len(np.unique(values)) == 2


@pytest.mark.parametrize(
    ("stored", "channel"),
    [
        (MASK, "grey"),
        (layers(255, -1)(0, MASK), "alpha"),
        (layers(-1, 0, 0)(0, MASK), "red"),
        (layers(-1, -1, 0)(0, MASK), "#ffff00"),
        (palette(MASK, [255, 255, 255, 0, 0, 0]), "palette colour"),
        (palette(MASK, [0, 0, 0, 128, 0, 0]), "palette index"),
    ],
)
def test_where_labels_were_read_is_told(tmp_path: Path, stored: Image.Image, channel: str) -> None:
    assert read_stored(save(tmp_path / "a.png", stored)).channel == channel


def test_an_empty_layer_is_empty(tmp_path: Path) -> None:
    assert not read_label(save(tmp_path / "a.png", layers(255, 0)(0, MASK))).any()


def test_transparent_pixels_hold_no_label(tmp_path: Path) -> None:
    alpha = np.where(np.arange(MASK.size).reshape(MASK.shape) % 5, np.uint8(255), np.uint8(0))
    half = Image.merge("LA", [Image.fromarray(MASK), Image.fromarray(alpha)])
    assert np.array_equal(read_label(save(tmp_path / "a.png", half)), np.where(alpha, MASK, 0))


def test_several_colours_are_refused_and_named(tmp_path: Path) -> None:
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[0], colours[1] = (255, 0, 0), (0, 255, 0)
    with pytest.raises(
        UserError, match=r"a\.png must be grey or palette .* has 3 colours \(#000000, #00ff00, #ff0000\)"
    ):
        read_label(save(tmp_path / "a.png", colours))


def test_a_white_background_is_a_colour(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 colours"):
        read_label(
            save(tmp_path / "a.png", np.where(MASK[..., None] > 0, [255, 0, 0], [255, 255, 255]).astype(np.uint8))
        )


@pytest.mark.parametrize("crack", [1, 255, 65535])
def test_16_bits_in_three_channels_are_not_read_as_empty(tmp_path: Path, crack: int) -> None:
    deep = np.repeat((MASK > 0).astype(np.uint16)[..., None] * crack, 3, axis=2)
    assert cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert np.array_equal(read_label(tmp_path / "a.png") > 0, MASK > 0)
