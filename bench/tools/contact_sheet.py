"""A contact sheet: images with their masks laid over them, to see at a glance whether they fit."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from bench.data.convention import Convention
from bench.data.dataset import Pair
from bench.data.images import WHITE, read_image
from bench.data.own_folder import Exif, canonical_mask
from bench.formats import files
from bench.formats.prepared import IGNORED

SHOWN = 6
SIDE = 320
"""Longest side of an image on the sheet, px."""
GAP, TEXT = 8, 20
COLOURS = np.array([[230, 0, 70], [255, 190, 0], [0, 190, 120], [160, 80, 255], [0, 200, 230]], np.uint8)
"""Colours of the classes; the first is crack."""
IGNORED_COLOUR = (40, 110, 255)

Array = npt.NDArray[np.uint8]


def write_contact_sheet(
    path: Path, pairs: Sequence[Pair], convention: Convention, exif: Exif | None = None, white: int = WHITE
) -> None:
    """Write a PNG of each pair's image beside the same image with its mask on it; ignored pixels are blue.

    Args:
        path: PNG to write.
        pairs: at most `SHOWN`.
        convention: what the values of the masks mean.
        exif: what masks of rotated images were drawn on.
        white: grey level of white in images of 16 bits.
    """
    wide, high = 2 * SIDE + 2 * GAP, SIDE + TEXT + GAP
    rows = -(-len(pairs) // 2)
    sheet = Image.new("RGB", (2 * wide + GAP, rows * high + GAP), (255, 255, 255))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for number, pair in enumerate(pairs):
        left, top = GAP + number % 2 * wide, GAP + number // 2 * high
        mask = canonical_mask(pair, convention, exif)
        image, mask = _small(
            read_image(pair.image, white),
            mask if convention.is_coded else np.where(mask > 127, 255, 0).astype(np.uint8),
        )
        draw.text((left, top), pair.item[:90], (0, 0, 0), font)
        sheet.paste(Image.fromarray(image), (left, top + TEXT))
        sheet.paste(Image.fromarray(_overlay(image, mask, convention)), (left + SIDE + GAP // 2, top + TEXT))
    with files.atomic_write(path) as temporary:
        sheet.save(temporary, "PNG")


def _small(image: Array, mask: Array) -> tuple[Array, Array]:
    """Return image and mask scaled to fit; a class stays where it covers a tenth of a small pixel."""
    scale = SIDE / max(mask.shape)
    size = (max(round(mask.shape[1] * scale), 1), max(round(mask.shape[0] * scale), 1))
    area = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    small = np.zeros((size[1], size[0]), np.uint8)
    for value in np.unique(mask[mask > 0]):
        small[cv2.resize((mask == value).astype(np.float32), size, interpolation=area) > 0.1] = value
    return np.asarray(cv2.resize(image, size, interpolation=area), np.uint8), small


def _overlay(image: Array, mask: Array, convention: Convention) -> Array:
    """Return the image with the classes in colour and ignored pixels in blue."""
    shown = image.copy()
    if not convention.is_coded:
        shown[mask > 0] = COLOURS[0]
        return shown
    crack = (mask > 0) & (mask < IGNORED)
    shown[crack] = COLOURS[(mask[crack] - 1) % len(COLOURS)]
    ignored = mask == IGNORED
    shown[ignored] = (shown[ignored] // 2 + np.array(IGNORED_COLOUR) // 2).astype(np.uint8)
    return shown
