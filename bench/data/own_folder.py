"""The origin of a user's own dataset: a folder, whose masks are rewritten in the canonical convention."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from bench.data.convention import Convention, canonical
from bench.data.dataset import Pair
from bench.data.decode import read_header
from bench.data.folder import Layout, drawn_layout, find_layout
from bench.data.images import WHITE, read_16_bit, read_image, read_size
from bench.data.own_split import read_split_file, with_test, write_own_split
from bench.data.sources import Origin
from bench.errors import UserError
from bench.formats import files

Array = npt.NDArray[np.uint8]
Exif = Literal["rotate", "ignore"]
"""Whether masks without EXIF orientation were drawn on the rotated image, or on its stored pixels."""


def from_folder(plugin: ModuleType) -> Origin:
    """Return the origin of a dataset whose file names a ``FOLDER``.

    Images are copied; those of 16 bits with another white than 65535 are scaled to 8. Masks become grey PNG: grey
    levels or 0 and 255, or if the dataset is coded, class numbers and 255 for ignored pixels.

    Raises:
        UserError: a folder or a partner is missing.
    """
    folder = Path(plugin.FOLDER)
    convention, white = convention_of(plugin), getattr(plugin, "WHITE", WHITE)
    drawn = getattr(plugin, "DRAWN", None)
    layout = (
        find_layout(folder, getattr(plugin, "IMAGES", None), getattr(plugin, "MASKS", None))
        if drawn is None
        else drawn_layout(folder, Path(drawn))
    )
    pairs, parts = layout.pairs, published_parts(layout, getattr(plugin, "SPLIT", None))
    exif = getattr(plugin, "EXIF", None)

    def fill(target: Path) -> None:
        write_own_split(target, parts)
        for pair in pairs:
            is_scaled = white != WHITE and read_16_bit(pair.image) is not None
            name = f"{pair.item}{'.png' if is_scaled else pair.image.suffix.lower()}"
            content = _png(read_image(pair.image, white)) if is_scaled else pair.image.read_bytes()
            (target / "images" / name).write_bytes(content)
            (target / "masks" / f"{pair.item}.png").write_bytes(_png(canonical_mask(pair, convention, exif)))

    facts: dict[str, Any] = {
        "source": "folder",
        "archive": folder.name,
        "sha256": _digest(pairs),
        "white": white,
        "exif": exif,
    }
    if parts:
        facts["split"] = files.digest(parts)
    labels = json.loads(json.dumps(asdict(convention)))  # lists, as they are read back from the record
    return Origin(facts | {"labels": labels}, fill)


def published_parts(layout: Layout, split: str | None) -> dict[str, str]:
    """Return the part of each item: from a CSV file, else from the folders train, val and test; empty without either.

    Raises:
        UserError: see `bench.data.own_split.read_split_file`.
    """
    items = [pair.item for pair in layout.pairs]
    if split is not None:
        return read_split_file(Path(split), items)
    return with_test(layout.parts) if layout.parts else {}


def convention_of(plugin: ModuleType) -> Convention:
    """Return the convention in a dataset's file; files of earlier versions state ``CRACK_VALUE`` or nothing."""
    if hasattr(plugin, "CONVENTION"):
        convention: Convention = plugin.CONVENTION
        return convention
    value = getattr(plugin, "CRACK_VALUE", None)
    others = tuple(v for v in range(256) if v != value)
    return Convention() if value is None else Convention((value,), others)


def canonical_mask(pair: Pair, convention: Convention, exif: Exif | None = None) -> Array:
    """Return the mask of a pair with canonical values, uint8 (H, W), of the size of its image.

    Raises:
        UserError: see `turn_of`, and `bench.data.convention.canonical`.
    """
    mask = canonical(pair.mask, convention)
    if (orientation := turn_of(pair, exif)) != 1:
        image = Image.fromarray(mask)
        image.getexif()[ExifTags.Base.Orientation] = orientation
        mask = np.asarray(ImageOps.exif_transpose(image))
    height, width = read_size(pair.image)
    if mask.shape != (height, width):
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    return mask


def turn_of(pair: Pair, exif: Exif | None = None) -> int:
    """Return the EXIF orientation to apply to a mask so that it lies on its image; 1 for none.

    Args:
        pair: image and mask.
        exif: what masks without orientation were drawn on, where sizes do not tell; None if unknown.

    Raises:
        UserError: image and mask differ in shape, or it is unclear what the mask was drawn on.
    """
    if pair.mask.suffix.lower() == ".mat":
        return 1
    height, width, orientation = read_header(pair.image)
    mask_height, mask_width, own = read_header(pair.mask)
    upright = (width, height) if orientation >= 5 else (height, width)
    mask_upright = (mask_width, mask_height) if own >= 5 else (mask_height, mask_width)
    fits_rotated, fits_stored = _same_shape(mask_upright, upright), _same_shape(mask_upright, (height, width))
    if not fits_rotated and not (fits_stored and own == 1):
        raise UserError(
            f"{pair.mask} is {mask_upright[1]}x{mask_upright[0]} px, its image {upright[1]}x{upright[0]}: "
            "they must have the same shape."
        )
    if orientation == 1 or own != 1:
        return 1
    if fits_rotated != fits_stored:
        return orientation if fits_stored else 1
    if exif is None:
        raise UserError(
            f"{pair.image} is stored rotated (EXIF orientation {orientation}), its mask is not, and their sizes do "
            "not show which it was drawn on: add `--exif ignore` (the stored pixels) or `--exif rotate` (the rotated "
            "image), and look at the overlays."
        )
    return orientation if exif == "ignore" else 1


def _same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Return whether two sizes (h, w) have the same aspect ratio, up to the rounding of a resized side."""
    return abs(a[0] * b[1] - a[1] * b[0]) <= max(*a, *b)


def _digest(pairs: list[Pair]) -> str:
    """Return the hash of the files of all pairs under their names."""
    hashes = {f"images/{pair.item}": files.sha256(pair.image) for pair in pairs}
    return files.digest(hashes | {f"masks/{pair.item}": files.sha256(pair.mask) for pair in pairs})


def _png(array: Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()
