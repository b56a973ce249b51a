"""Open image files: damaged ones raise an error that names them."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bench.errors import UserError

MAX_PIXELS = 2**30
"""Most pixels of an image, as in OpenCV. Pillow refuses above 178 million, fewer than a stitched facade has."""


@contextmanager
def opened(path: Path, content: bytes | None = None) -> Iterator[Image.Image]:
    """Open an image, from ``content`` if given; its pixels are decoded on first use.

    Raises:
        UserError: the file is missing, damaged, too large or not an image.
    """
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS replaces Pillow's limit
    try:
        with Image.open(path if content is None else io.BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UserError(f"{path} has {image.width}x{image.height} px: {MAX_PIXELS} at most; cut it into parts.")
            yield image
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `bench download`, then `dvc repro`.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read ({str(error) or 'not an image'}).") from None


def decode(path: Path) -> Image.Image:
    """Return an image, fully decoded, rotated to its EXIF orientation.

    Raises:
        UserError: see `opened`.
    """
    with opened(path) as image:
        return ImageOps.exif_transpose(image)


def read_header(path: Path) -> tuple[int, int, int]:
    """Return height and width of an image as stored, px, and its EXIF orientation (1 to 8; 1 is upright).

    Raises:
        UserError: see `opened`.
    """
    with opened(path) as image:
        is_known = image.format == "PNG" and _ends_with_pixels(path)  # else Pillow decodes a PNG to see what follows
        exif = Image.Image.getexif(image) if is_known else image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        return image.height, image.width, orientation if orientation in range(1, 9) else 1


def _ends_with_pixels(path: Path) -> bool:
    """Return whether no other chunk than the last follows the pixels of a PNG file.

    **Source:** PNG, third edition, section 5.3: length, type, data, checksum.
    """
    kinds = []
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            kinds.append(head[4:])
            file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    return kinds[-2:] == [b"IDAT", b"IEND"]
