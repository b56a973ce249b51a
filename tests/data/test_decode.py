"""Opening files: the limit of pixels is the suite's own, sizes are read without the pixels."""

import struct
import subprocess
import sys
import zlib
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


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path: Path, height: int, width: int, before: bytes = b"", after: bytes = b"") -> None:
    """Write a black PNG, with chunks before and after its pixels, without holding them."""
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    content = head + before + chunk(b"IDAT", pixels) + after + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def test_the_orientation_of_a_png_is_found_before_and_after_its_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = chunk(b"eXIf", exif.tobytes()[6:])
    for before, after, expected in ((b"", b"", 1), (turned, b"", 6), (b"", turned, 6)):
        png(tmp_path / "a.png", 40, 60, before, after)
        assert decode.read_header(tmp_path / "a.png") == (40, 60, expected)
        assert decode.decode(tmp_path / "a.png").size == ((60, 40) if expected == 1 else (40, 60))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak memory of a process is read from /proc")
def test_a_size_is_read_without_the_pixels(tmp_path: Path) -> None:
    png(tmp_path / "a.png", 30_000, 30_000)
    code = (
        "import re, sys; from pathlib import Path; from bench.data.decode import read_header\n"
        "print(read_header(Path(sys.argv[1]))[0])\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    height, peak = map(int, done.stdout.split())
    assert height == 30_000
    assert peak < 300_000  # kB; the pixels are 900 MB
