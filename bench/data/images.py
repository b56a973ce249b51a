"""Read images as RGB, and masks as grey levels or classes."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from bench.data.decode import decode, opened, read_header
from bench.data.labels import has_deep_colour, narrow, read_deep, read_label
from bench.errors import UserError
from bench.formats.prepared import IGNORED

Array = npt.NDArray[np.uint8]

WHITE = 65535
"""Grey level of white in 16 bits, unless a camera of fewer bits wrote the file."""


def read_image(path: Path, white: int = WHITE) -> Array:
    """Return an image as RGB, uint8 (H, W, 3), rotated to its EXIF orientation; 16 bits are scaled to 8.

    Args:
        path: the file.
        white: grey level of white if it has 16 bits: 4095 for a camera of 12 bits.

    Raises:
        UserError: the file is missing, damaged, not an image, or has 32 bits per channel, with no defined white level.
    """
    deep = read_16_bit(path) if white != WHITE else None
    if deep is not None:
        scaled = np.minimum((deep.astype(np.uint32) * 255 + white // 2) // white, 255).astype(np.uint8)
        return np.repeat(scaled[..., None], 3, axis=2) if scaled.ndim == 2 else np.ascontiguousarray(scaled[..., :3])
    image = decode(path)
    if image.mode in ("I", "F"):
        raise UserError(
            f"{path} has 32 bits per channel (mode {image.mode}), with no defined white level: "
            "save it with 8 or 16 bits."
        )
    if image.mode.startswith("I"):  # Pillow clips at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB"), np.uint8)


def read_16_bit(path: Path) -> npt.NDArray[np.uint16] | None:
    """Return the pixels of an image of 16 bits per channel, (H, W) or (H, W, 3), or None for any other image.

    Raises:
        UserError: the file is missing, damaged, or is stored rotated with several channels.
    """
    with opened(path) as image:
        if has_deep_colour(image):
            return np.asarray(read_deep(path)[..., :3], np.uint16)
        if not image.mode.startswith("I;16"):
            return None
        return np.asarray(ImageOps.exif_transpose(image), np.uint16)


def white_of(brightest: int) -> int:
    """Return the grey level of white in images of 16 bits whose highest value is ``brightest``; 0: there are none.

    Cameras of 10 to 14 bits write such files without scaling: white is the highest number of as many bits.

    >>> [white_of(brightest) for brightest in (0, 200, 3000, 4095, 4096, 65280)]
    [65535, 255, 4095, 4095, 8191, 65535]
    """
    return max(2 ** brightest.bit_length() - 1, 255) if brightest else WHITE


def white_level(paths: Iterable[Path]) -> int:
    """Return the grey level of white in the 16-bit images among those of one camera; other images are not decoded.

    Raises:
        UserError: see `read_16_bit`.
    """
    return white_of(max((int(deep.max()) for path in paths if (deep := read_16_bit(path)) is not None), default=0))


def read_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image after rotation to its EXIF orientation, px; its pixels are not decoded.

    Raises:
        UserError: the file is missing or not an image.
    """
    height, width, orientation = read_header(path)
    return (width, height) if orientation >= 5 else (height, width)


def read_mask(path: Path, classes: int = 1, coded: bool = False) -> Array:
    """Return a mask, uint8 (H, W): grey level 0 to 255; of several classes, or if coded, the class of each pixel.

    In masks of classes 255 marks pixels to ignore. CrackForest's .mat ground truth becomes 255 on crack, 0 otherwise.

    Raises:
        UserError: the file is missing, damaged, not a mask, or contains a class that the dataset does not have.
    """
    if classes == 1 and not coded:
        return _grey(path)
    labels, count = read_label(path), max(classes, 2)
    if (beyond := labels[(labels >= count) & (labels != IGNORED)]).size:
        raise UserError(
            f"{path} must have values below {count} (one per class) or {IGNORED} (ignored), has {beyond.max()}: "
            "correct the mask."
        )
    return labels


def _grey(path: Path) -> Array:
    """Return the grey levels of a mask; colours become their luminance."""
    if path.suffix.lower() == ".mat":
        return read_label(path)
    image = decode(path)
    wide = image.mode.startswith(("I", "F"))
    return narrow(path, np.asarray(image)) if wide else np.asarray(image.convert("L"), np.uint8)
