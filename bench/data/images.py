"""Decode images and masks strictly: what is torn or of another kind is refused by name."""

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.errors import UserError

Array = npt.NDArray[np.uint8]

CRACKFOREST_CRACK = 2
"""Label of crack in CrackForest's ``groundTruth.Segmentation``: 1 is background, 3 and 4 are background cells that
cracks enclose, so that ``> 1`` would be wrong."""

WHITE_16 = range(255 << 8, 1 << 16)
"""White in 16 bits, as 255 * 256 or 255 * 257."""


def read_image(path: Path) -> Array:
    """Return an image as RGB, uint8 (H, W, 3), turned as its EXIF orientation says; 16 bits are scaled to 8.

    Raises:
        UserError: the file is missing, torn, no image, or has 32 bits per channel, of which none is known to be white.
    """
    image = decode(path)
    if image.mode in ("I", "F"):
        raise UserError(
            f"{path} has 32 bits per channel (mode {image.mode}), and nothing says which level is white: "
            "save it with 8 or 16 bits."
        )
    if _is_wide(image):  # Pillow clips at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB"), np.uint8)


def read_mask(path: Path, classes: int = 1) -> Array:
    """Return a mask, uint8 (H, W): grey level 0 to 255, or the class of each pixel if there are more classes.

    More than 8 bits are taken as in ``read_label``. CrackForest's .mat ground truth becomes 255 where it says crack and
    0 elsewhere.

    Raises:
        UserError: the file is missing, torn, no mask, or holds a class that the dataset does not have.
    """
    if path.suffix.lower() == ".mat":
        return np.where(crackforest_labels(path) == CRACKFOREST_CRACK, 255, 0).astype(np.uint8)
    if classes == 1:
        image = decode(path)
        return _narrow(path, image) if _is_wide(image) else np.asarray(image.convert("L"), np.uint8)
    labels = read_label(path)
    if labels.max(initial=0) >= classes:
        raise UserError(f"{path} must have values below {classes} (one per class), has {labels.max()}.")
    return labels


def read_label(path: Path) -> Array:
    """Return the values of a mask as stored, uint8 (H, W): grey levels, or the indices of a palette.

    More than 8 bits are kept if no value is above 255, and scaled if the highest is white in 16 bits; what is not 0
    stays so.

    Raises:
        UserError: the file is missing, torn, no image of one channel, or has values that 8 bits cannot hold.
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
        raise UserError(f"{path} must be grey or palette with 8 bits (one value per class), is {image.mode}.")
    return labels.astype(np.uint8)


def _is_wide(image: Image.Image) -> bool:
    """Return whether an image is grey with more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def _narrow(path: Path, image: Image.Image) -> Array:
    """Return the values of a mask of more than 8 bits as ``read_label`` says."""
    stored = np.asarray(image, np.float64)
    low, high = stored.min(), stored.max()
    if low >= 0 and high in WHITE_16:
        stored = np.ceil(stored / 257)
    elif not (low >= 0 and high <= 255 and (stored == np.floor(stored)).all()):
        raise UserError(
            f"{path} has values from {low:g} to {high:g} (mode {image.mode}), which 8 bits cannot hold: "
            "save the mask as grey with 8 bits, or with 16 bits and white at 65535."
        )
    return stored.astype(np.uint8)


def decode(path: Path) -> Image.Image:
    """Return an image, all of it decoded, upright.

    Raises:
        UserError: the file is missing, torn or no image.
    """
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `bench download`, then `dvc repro`.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read ({str(error) or 'no image'}).") from None


def crackforest_labels(path: Path) -> npt.NDArray[np.integer]:
    """Return ``groundTruth.Segmentation`` of a .mat file."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    damage = (MatReadError, zlib.error, OSError, ValueError, LookupError, TypeError, RuntimeError)
    if not path.exists():
        raise UserError(f"{path} is missing: run `bench download`, then `dvc repro`.")
    try:
        return np.asarray(loadmat(path)["groundTruth"]["Segmentation"][0, 0])
    except damage as error:
        raise UserError(f"{path} is no CrackForest ground truth ({error}).") from None
