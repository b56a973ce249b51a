"""Decode images and masks strictly: damaged or unsupported files raise an error that names them."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bench.errors import UserError
from bench.formats.prepared import IGNORED

Array = npt.NDArray[np.uint8]

CRACKFOREST_CRACK = 2
"""Label of crack in CrackForest's ``groundTruth.Segmentation``: 1 is background, 3 and 4 are background regions that
cracks enclose, so that ``> 1`` would be wrong."""

WHITE_16 = range(255 << 8, 1 << 16)
"""Values of white in 16 bits, from 255 * 256 (65280) on; 255 * 257 is 65535."""


def read_image(path: Path) -> Array:
    """Return an image as RGB, uint8 (H, W, 3), rotated to its EXIF orientation; 16 bits are scaled to 8.

    Raises:
        UserError: the file is missing, damaged, not an image, or has 32 bits per channel, with no defined white level.
    """
    image = decode(path)
    if image.mode in ("I", "F"):
        raise UserError(
            f"{path} has 32 bits per channel (mode {image.mode}), with no defined white level: "
            "save it with 8 or 16 bits."
        )
    if _is_wide(image):  # Pillow clips at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB"), np.uint8)


def read_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image after rotation to its EXIF orientation, px; its pixels are not decoded.

    Raises:
        UserError: the file is missing or not an image.
    """
    with _opened(path) as image:
        width, height = image.size
        return (width, height) if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5 else (height, width)


def read_mask(path: Path, classes: int = 1, coded: bool = False) -> Array:
    """Return a mask, uint8 (H, W): grey level 0 to 255; of several classes, or if coded, the class of each pixel.

    In masks of classes 255 marks pixels to ignore.

    More than 8 bits are converted as in ``read_label``. CrackForest's .mat ground truth becomes 255 on crack, 0
    otherwise.

    Raises:
        UserError: the file is missing, damaged, not a mask, or contains a class that the dataset does not have.
    """
    if path.suffix.lower() == ".mat":
        return np.where(crackforest_labels(path) == CRACKFOREST_CRACK, 255, 0).astype(np.uint8)
    if classes == 1 and not coded:
        image = decode(path)
        return _narrow(path, image) if _is_wide(image) else np.asarray(image.convert("L"), np.uint8)
    labels, count = read_label(path), max(classes, 2)
    if (beyond := labels[(labels >= count) & (labels != IGNORED)]).size:
        raise UserError(
            f"{path} must have values below {count} (one per class) or {IGNORED} (ignored), has {beyond.max()}: "
            "correct the mask."
        )
    return labels


def read_label(path: Path) -> Array:
    """Return the values of a mask as stored, uint8 (H, W): grey levels, or the indices of a palette.

    With more than 8 bits, values are kept if none is above 255, and scaled if the highest is white in 16 bits; non-zero
    values stay non-zero.

    Raises:
        UserError: the file is missing, damaged, has several channels, or has values that do not fit into 8 bits.
    """
    if path.suffix.lower() == ".mat":
        return read_mask(path)
    image = decode(path)
    if _is_wide(image):
        return _narrow(path, image)
    labels = np.asarray(image.convert("L") if image.mode == "1" else image)
    if labels.ndim == 3 and (labels[..., :3] == labels[..., :1]).all():
        labels = labels[..., 0]
    if labels.ndim != 2:
        raise UserError(
            f"{path} must be grey or palette with 8 bits (one value per class), is {image.mode}: convert it."
        )
    return labels.astype(np.uint8)


def _is_wide(image: Image.Image) -> bool:
    """Return whether an image is grey with more than 8 bits per pixel."""
    return image.mode.startswith(("I", "F"))


def _narrow(path: Path, image: Image.Image) -> Array:
    """Return the values of a mask of more than 8 bits as described in ``read_label``."""
    stored = np.asarray(image, np.float64)
    low, high = stored.min(), stored.max()
    if low >= 0 and high in WHITE_16:
        stored = np.ceil(stored / 257)
    elif not (low >= 0 and high <= 255 and (stored == np.floor(stored)).all()):
        raise UserError(
            f"{path} has values from {low:g} to {high:g} (mode {image.mode}), which do not fit into 8 bits: "
            "save the mask as grey with 8 bits, or with 16 bits and white at 65535."
        )
    return stored.astype(np.uint8)


def decode(path: Path) -> Image.Image:
    """Return an image, fully decoded, rotated to its EXIF orientation.

    Raises:
        UserError: the file is missing, damaged or not an image.
    """
    with _opened(path) as image:
        return ImageOps.exif_transpose(image)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image.

    Raises:
        UserError: the file is missing, damaged or not an image.
    """
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `bench download`, then `dvc repro`.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read ({str(error) or 'not an image'}).") from None


def crackforest_labels(path: Path) -> npt.NDArray[np.integer]:
    """Return ``groundTruth.Segmentation`` of a .mat file.

    Raises:
        UserError: the file is missing, damaged or of another kind.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    damage = (MatReadError, zlib.error, OSError, ValueError, LookupError, TypeError, RuntimeError)
    if not path.exists():
        raise UserError(f"{path} is missing: run `bench download`, then `dvc repro`.")
    try:
        return np.asarray(loadmat(path)["groundTruth"]["Segmentation"][0, 0])
    except damage as error:
        raise UserError(f"{path} is not a CrackForest ground truth ({error}).") from None
