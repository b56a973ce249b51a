"""Masks rewritten as 0 and 255: by value, by brightness, by the colour behind a palette's index."""

import io

import numpy as np
import pytest
from PIL import Image

from bench.data.binary_mask import binary_mask
from bench.errors import UserError


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def decoded(content: bytes) -> list[int]:
    image = Image.open(io.BytesIO(content))
    assert (image.mode, image.format) == ("L", "PNG")
    return np.asarray(image).ravel().tolist()


GREY = np.array([[0, 1, 2, 127, 128, 204, 255]], np.uint8)


def test_a_value_is_crack_and_nothing_else() -> None:
    assert decoded(binary_mask(encoded(GREY), 2, "m")) == [0, 0, 255, 0, 0, 0, 0]
    rgba = np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)])
    assert decoded(binary_mask(encoded(rgba), 255, "m")) == [0, 0, 0, 0, 0, 0, 255]  # not 204


def test_without_a_value_it_is_what_is_brighter_than_half() -> None:
    expected = [0, 0, 0, 0, 255, 255, 255]
    rgb = np.dstack([GREY, GREY, GREY])
    for pixels in (GREY, rgb, np.dstack([rgb, np.full_like(GREY, 9)])):
        assert decoded(binary_mask(encoded(pixels), None, "m")) == expected
    assert decoded(binary_mask(encoded(GREY > 127), None, "m")) == expected  # one bit


def test_a_palette_counts_by_its_colours() -> None:
    image = Image.new("P", (4, 1))
    image.putdata([0, 1, 1, 0])
    image.putpalette([255, 255, 255, 0, 0, 0])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert decoded(binary_mask(buffer.getvalue(), None, "m")) == [255, 0, 0, 255]


def test_a_mask_of_0_and_255_keeps_its_bytes() -> None:
    content = encoded(np.array([[0, 255]], np.uint8))
    assert binary_mask(content, None, "m") is content
    assert decoded(binary_mask(encoded(np.array([[0, 255]], np.uint8), "BMP"), None, "m")) == [0, 255]


@pytest.mark.parametrize("value", [None, 2])
@pytest.mark.parametrize("content", [b"", b"no image", encoded(GREY)[:45]])
def test_what_cannot_be_decoded_is_named(content: bytes, value: int | None) -> None:
    with pytest.raises(UserError, match=r"walls/m\.png cannot be read"):
        binary_mask(content, value, "walls/m.png")
