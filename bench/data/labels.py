"""Read the label values of mask files: the only reader of masks, whatever tool wrote them."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from bench.data.decode import opened
from bench.errors import UserError, shorten

Array = npt.NDArray[np.uint8]

CRACKFOREST_CRACK = 2
"""Label of crack in CrackForest's ``groundTruth.Segmentation``: 1 is background, 3 and 4 are background regions that
cracks enclose, so that ``> 1`` would be wrong."""
WHITE_16 = range(255 << 8, 1 << 16)
"""Values of white in 16 bits, from 255 * 256 (65280) on; 255 * 257 is 65535."""
JPEG_TINT = 16
"""Largest difference of the channels of a grey mask after JPEG compression."""


@dataclass(frozen=True)
class Stored:
    """The label values of a file.

    Attributes:
        values: (H, W), of the type in the file.
        channel: where they were read: "grey", "palette colour", "palette index", "alpha", or a colour.
        is_lossy: whether compression has changed them (JPEG).
    """

    values: npt.NDArray[Any]
    channel: str = "grey"
    is_lossy: bool = False


def read_label(path: Path) -> Array:
    """Return the values of a mask, uint8 (H, W), as described in `read_stored` and `narrow`."""
    return narrow(path, read_stored(path).values)


def read_stored(path: Path) -> Stored:
    """Return the label values of a mask, rotated to its EXIF orientation.

    A black-and-white palette is read by its colours, another one by its indices. Labels in the alpha channel, or in one
    colour on black, are read from there. 1-bit masks and CrackForest's .mat ground truth become 0 and 255.

    Raises:
        UserError: the file is missing, damaged, or has several colours.
    """
    if path.suffix.lower() == ".mat":
        return Stored(np.where(crackforest_labels(path) == CRACKFOREST_CRACK, 255, 0).astype(np.uint8))
    with opened(path) as file:
        is_lossy, is_deep = file.format in ("JPEG", "MPO"), has_deep_colour(file)
        image = ImageOps.exif_transpose(file)
    if image.mode == "1":
        return Stored(np.asarray(image.convert("L")))
    if image.mode == "P":
        stored = _palette(path, image)
    elif is_deep:
        stored = _channels(path, read_deep(path), is_lossy)
    else:
        array = np.asarray(image.convert("RGBA") if image.mode in ("PA", "La", "RGBa") else image)
        stored = Stored(array) if array.ndim == 2 else _channels(path, array, is_lossy)
    return Stored(stored.values, stored.channel, is_lossy)


def _palette(path: Path, image: Image.Image) -> Stored:
    """Return the colours of a palette if they are grey, else its indices."""
    indices = np.asarray(image)
    used = np.unique(indices)
    if "transparency" in image.info and len(np.unique(np.asarray(image.convert("RGBA"))[..., 3])) > 1:
        return _channels(path, np.asarray(image.convert("RGBA")), False)
    colours = np.zeros((256, 3), np.uint8)
    entries = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    colours[: len(entries)] = entries
    shown = colours[used] if len(used) > 1 else entries
    if (shown == shown[:, :1]).all() and len(np.unique(colours[used, 0])) == len(used):
        return Stored(colours[indices, 0], "palette colour")
    return Stored(indices, "palette index")


def _channels(path: Path, array: npt.NDArray[Any], is_lossy: bool) -> Stored:
    """Return the labels in an array of several channels, (H, W, C); C = 2 and 4 have alpha last."""
    if array.shape[2] in (2, 4) and not (is_lossy and array.shape[2] == 4):
        colour, alpha = array[..., :-1], array[..., -1]
        shown = colour[alpha > 0] if alpha.any() else colour.reshape(-1, colour.shape[2])
        is_uniform = not len(shown) or bool((shown == shown[0]).all())
        if is_uniform and (alpha.min() < alpha.max() or not alpha.any()):
            return Stored(alpha, "alpha")
        if alpha.any():
            colour = np.where(alpha[..., None] > 0, colour, 0)
    else:
        colour = array[..., :3]
    return _colour(path, colour, is_lossy)


def _colour(path: Path, colour: npt.NDArray[Any], is_lossy: bool) -> Stored:
    """Return grey levels, one channel on black, or 255 where the only colour beside black is.

    Raises:
        UserError: there are several colours.
    """
    low, high = colour.min(axis=2), colour.max(axis=2)
    if (low == high).all() or (is_lossy and int((high - low).max()) <= JPEG_TINT):
        return Stored(colour[..., 0] if (low == high).all() else np.median(colour, axis=2).astype(np.uint8))
    present = [i for i in range(colour.shape[2]) if colour[..., i].any()]
    if len(present) == 1 and not is_lossy:
        return Stored(colour[..., present[0]], ("red", "green", "blue")[present[0]])
    shades = np.unique(colour.reshape(-1, colour.shape[2]), axis=0)
    if len(shades) == 2 and not shades[0].any():
        return Stored(np.where(high > 0, 255, 0).astype(np.uint8), _hex(shades[1]))
    names = shorten([_hex(shade) for shade in shades[:9]])
    raise UserError(
        f"{path} must be grey or palette with 8 bits (one value per class), has {len(shades)} colours ({names}): "
        "convert it to one value per class."
    )


def _hex(colour: npt.NDArray[Any]) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in colour)


def has_deep_colour(image: Image.Image) -> bool:
    """Return whether a file has several channels of 16 bits, of which Pillow keeps the upper 8."""
    tiles = getattr(image, "tile", [])  # how each part is stored, such as "RGB;16B"
    return bool(tiles) and "16" in str(tiles[0][3]) and image.mode in ("RGB", "RGBA", "LA")


def read_deep(path: Path) -> npt.NDArray[Any]:
    """Return the pixels of a file with several channels of 16 bits, (H, W, C) or (H, W), as stored.

    Raises:
        UserError: OpenCV cannot read it.
    """
    array = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise UserError(f"{path} cannot be read: save it with 8 bits per channel.")
    if array.ndim == 2:
        return np.repeat(array[..., None], 3, axis=2)
    return np.asarray(array[..., [2, 1, 0, *range(3, array.shape[2])]])


def narrow(path: Path, stored: npt.NDArray[Any]) -> Array:
    """Return label values as uint8.

    Values are kept if none is above 255, and scaled if the highest is white in 16 bits; non-zero values stay non-zero.

    Raises:
        UserError: the values do not fit into 8 bits.
    """
    if stored.dtype == np.uint8:
        return np.asarray(stored)
    values = stored.astype(np.float64)
    low, high = values.min(), values.max()
    if low >= 0 and high in WHITE_16:
        values = np.ceil(values / 257)
    elif not (low >= 0 and high <= 255 and (values == np.floor(values)).all()):
        raise UserError(
            f"{path} has values from {low:g} to {high:g} (type {stored.dtype}), which do not fit into 8 bits: "
            "save the mask as grey with 8 bits, or with 16 bits and white at 65535."
        )
    return values.astype(np.uint8)


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
