"""A folder of predictions: one 8-bit grey PNG per item with floor(256 p), so that 128 is exactly p = 0.5."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.formats import files

CLASSES = "classes"
"""Folder beside the probabilities of a dataset of several classes: the class of each pixel, as 8-bit grey PNG."""

HALF = 128
"""The level floor(256 p) of p = 0.5."""


def quantise(prob: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return floor(256 p) of probabilities, 255 for p = 1, so that ``>= 128`` is ``p >= 0.5``.

    >>> quantise(np.array([0.0, 0.499999, 0.5, 1.0], np.float32)).tolist()
    [0, 127, 128, 255]
    """
    levels: npt.NDArray[np.uint8] = np.minimum(np.floor(prob * np.float32(256)), 255).astype(np.uint8)
    return levels


def classes_of(levels: npt.NDArray[np.uint8], crack_class: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the class of each pixel, (H, W): the likeliest crack class where p >= 0.5, else 0, which is background.

    Args:
        levels: floor(256 p) of crack, (H, W).
        crack_class: likeliest class other than background, (H, W).

    >>> classes_of(np.array([127, 128], np.uint8), np.array([2, 2], np.uint8)).tolist()
    [0, 2]
    """
    return np.where(levels >= HALF, crack_class, 0).astype(np.uint8)


def write_one(folder: Path, item: str, levels: npt.NDArray[np.uint8]) -> None:
    """Write one probability map, uint8 (H, W), as ``<item>.png``."""
    done, buffer = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise UserError(f"{folder / item}.png could not be encoded from an array of shape {levels.shape}.")
    with files.atomic_write(folder / f"{item}.png", buffer.nbytes) as temporary:
        temporary.write_bytes(buffer.tobytes())


def decode(path: Path) -> npt.NDArray[np.generic] | None:
    """Return an image as stored, or None if it is not an image; OpenCV verifies the checksum of each PNG chunk."""
    content = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        return cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if len(content) else None
    except cv2.error:  # its header claims more pixels than OpenCV accepts
        return None


def read_one(folder: Path, item: str, size: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Return one probability map, uint8 (H, W).

    Raises:
        UserError: the file is missing, unreadable, not 8-bit grey, or not of the size ``(H, W)``.
    """
    path = folder / f"{item}.png"
    if not path.is_file():
        raise UserError(f"{path} is missing: every test item needs one prediction with its name.")
    levels = decode(path)
    if levels is None:
        raise UserError(f"{path} is not a readable PNG: delete it and predict again.")
    if levels.dtype != np.uint8 or levels.ndim != 2:
        raise UserError(f"{path} must be 8-bit grey, found {levels.dtype} of shape {levels.shape}.")
    if levels.shape != tuple(size):
        raise UserError(f"{path} is {levels.shape[1]}x{levels.shape[0]} px, expected {size[1]}x{size[0]}.")
    return np.asarray(levels, np.uint8)
