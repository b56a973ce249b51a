"""Opening files: the limit of pixels is the suite's own, sizes are read without the pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data import decode
from bench.errors import UserError


def test_a_large_image_is_read_whatever_limit_pillow_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode.decode(tmp_path / "a.png").size == (60, 40)


def test_an_image_above_the_limit_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(decode, "MAX_PIXELS", 100)
    with pytest.raises(UserError, match=r"a\.png has 60x40 px: 100 at most"):
        decode.decode(tmp_path / "a.png")


@pytest.mark.parametrize(("tag", "expected"), [(None, 1), (6, 6), (0, 1), (9, 1)])
def test_a_header_has_size_and_orientation(tmp_path: Path, tag: int | None, expected: int) -> None:
    exif = Image.Exif()
    if tag is not None:
        exif[0x0112] = tag
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert decode.read_header(tmp_path / "a.jpg") == (40, 60, expected)
