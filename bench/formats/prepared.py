"""A prepared dataset: images.npy, masks.npy, items.csv and card.json in one folder."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats import files
from bench.formats.atomic import reserve

COLUMNS = ["item", "file", "photo", "split", "image", "top", "left", "native_h", "native_w", "crack_share"]
"""item: name of the row, a squeezed image or a tile; file: its image file in the raw data; photo: its source image;
split: train, validation or test; image: name of the pair; top, left: of the tile in it, px; native_h, native_w: size of
the image, px; crack_share: share of crack among the pixels in masks.npy that are not ignored, 0 to 1."""

IGNORED = 255
"""Value in masks.npy of pixels that count neither in training nor in scores."""

KINDS: dict[str, files.Kind] = {"dataset": str, "settings": dict, "content": str}
"""Required keys of card.json and their types."""

Array = npt.NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True)
class Prepared:
    """A dataset that is ready for training.

    Attributes:
        images: RGB, uint8, (N, H, W, 3), memory-mapped.
        masks: class of each pixel, uint8, (N, H, W), memory-mapped; binary: 1 is crack; 255 is ignored.
        items: one row per image, columns ``COLUMNS``, in the order of the arrays.
        card: dataset, display name, source, settings, counts, classes, content hash.
    """

    images: Array
    masks: Array
    items: pd.DataFrame
    card: dict[str, Any]

    def split(self, name: str) -> npt.NDArray[np.int64]:
        """Return the rows of the items of a split, ascending."""
        return np.flatnonzero(self.items["split"].to_numpy() == name)


def write(folder: Path, items: pd.DataFrame, card: dict[str, Any], pairs: Iterable[tuple[Array, Array, Size]]) -> None:
    """Write a prepared dataset, one pair at a time, card.json last.

    Args:
        folder: output folder; created if missing.
        items: one row per array: item, file, photo, split; for tiles also image, top and left, which are the item, 0
            and 0 if missing. The other columns are measured here.
        card: content of card.json without ``measured`` and ``content`` (a hash of arrays, names and splits).
        pairs: for each row the image (H, W, 3), the mask (H, W) and the native size (h, w); if it raises an error, no
            file is left behind.
    """
    side = card["settings"]["image_size"]
    hasher = hashlib.sha256()
    measured: dict[str, list[Any]] = {"native_h": [], "native_w": [], "crack_share": []}
    ignored = 0
    pixels = len(items) * side * side
    with (  # plain files: a full disk is an error in them, and a crash in a memory map
        files.atomic_write(folder / "images.npy", 3 * pixels) as images_path,
        files.atomic_write(folder / "masks.npy", pixels) as masks_path,
        images_path.open("wb") as images,
        masks_path.open("wb") as masks,
    ):
        _write_header(images, (len(items), side, side, 3))
        _write_header(masks, (len(items), side, side))
        for image, mask, (height, width) in pairs:
            images.write(image.tobytes())
            masks.write(mask.tobytes())
            hasher.update(image.tobytes() + mask.tobytes())
            ignored += int((mask == IGNORED).sum())
            for column, value in zip(measured, (height, width, round(_crack_share(mask), 9)), strict=True):
                measured[column].append(value)
    if "image" not in items:
        items = items.assign(image=items["item"], top=0, left=0)
    items = items.assign(**measured)[COLUMNS]
    hasher.update(items.to_csv(index=False, lineterminator="\n").encode())
    files.write_csv(folder / "items.csv", items)
    sizes = sorted(set(zip(items["native_w"], items["native_h"], strict=True)))
    facts = {
        "photographs": int(items["photo"].nunique()),
        "crack_share": round(float(items["crack_share"].mean()), 9),
        "ignored_pixels": ignored,
        "native_size": f"{sizes[0][0]}x{sizes[0][1]}" + (f" and {len(sizes) - 1} others" if len(sizes) > 1 else ""),
    }
    files.write_json(folder / "card.json", {**card, "measured": facts, "content": hasher.hexdigest()[:16]})
    files.write_checksums(folder)


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the header of an array of bytes, and reserve the space of the whole file."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    reserve(file, file.tell() + math.prod(shape))


def _crack_share(mask: Array) -> float:
    """Return the share of crack among the pixels that are not ignored; 0 if all are."""
    known = mask != IGNORED
    return float(((mask > 0) & known).sum() / max(int(known.sum()), 1))


def read(folder: Path, verify_arrays: bool = True) -> Prepared:
    """Return a prepared dataset, its arrays memory-mapped.

    Args:
        folder: the prepared dataset.
        verify_arrays: also verify the checksums of the arrays (one read, about 1 GB/s); off when only a few images are
            needed.

    Raises:
        UserError: a file is missing or damaged, a checksum does not match, or the files do not match each other.
    """
    card = files.read_object(folder / "card.json", KINDS, "delete the folder and run `bench prepare` again")
    items = files.read_csv(folder / "items.csv", COLUMNS, text=["item", "file", "photo", "split", "image"])
    images, masks = (_array(folder / name) for name in ("images.npy", "masks.npy"))
    if not len(images) == len(masks) == len(items) or images.shape[:3] != masks.shape:
        raise UserError(
            f"the files in {folder} do not match (images {images.shape}, masks {masks.shape}, {len(items)} items): "
            "delete the folder and run `bench prepare` again."
        )
    files.verify(folder, ["card.json", "items.csv", *(["images.npy", "masks.npy"] if verify_arrays else [])])
    return Prepared(images, masks, items, card)


def _array(path: Path) -> Array:
    """Return a memory-mapped uint8 array."""
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `bench prepare`, or `dvc repro`.") from None
    except (ValueError, EOFError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run `bench prepare` again.") from None
    if array.dtype != np.uint8:
        raise UserError(f"{path} has dtype {array.dtype}, expected uint8: delete it and run `bench prepare` again.")
    return array
