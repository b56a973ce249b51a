"""Find faults and oddities in the files of a dataset."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import ExifTags

from bench.data.dataset import Pair
from bench.data.decode import decode, opened
from bench.data.images import Array, read_image, read_mask
from bench.data.labels import Stored, crackforest_labels, read_stored
from bench.errors import UserError
from bench.formats.prepared import IGNORED

BLANK = 1.0
"""Standard deviation of the grey levels below which an image counts as blank."""
FEW_LABELS = 8
"""A mask with more distinct values was compressed lossily or smoothed."""
FULL = 0.5
"""Crack share above which a mask, or a whole dataset, is probably inverted."""
FLAGS = {
    "unreadable": "image or mask cannot be read",
    "sizes differ": "image and mask have different sizes",
    "blank image": "the image shows nothing",
    "identical images": "the same pixels as another image",
    "empty mask": "no pixel above 127",
    "full mask": "over half of the pixels are crack",
    "lossy mask": "grey levels between the labels: JPEG or smoothed, so that the threshold matters",
    "label values": "highest value is neither 0 nor 255: another label convention",
    "coded mask": "a few values with gaps: codes of classes or of pixels to ignore, read as grey levels",
    "alpha mask": "the labels are in the alpha channel, which is not read",
    "colour mask": "drawn in colours, of which the luminance is read",
    "turned by EXIF": "stored rotated; EXIF gives the orientation",
    "16 bit": "more than 8 bits per channel",
    "alpha": "has an alpha channel",
    "palette": "stored with a palette",
    "grey image": "one channel, or three that are the same",
}

COLUMNS = ("item", "flags", "height", "width", "format", "mode", "mask_mode", "labels", "above_0", "above_127")
"""Findings on one pair."""


def inspect(pair: Pair, classes: int, coded: bool = False) -> tuple[dict[str, Any], Array | None]:
    """Return the findings on a pair, and its image, uint8 (H, W, 3), or None if it cannot be read.

    The findings are ``COLUMNS``: flags are names from ``FLAGS``, joined by "; "; labels are the mask's values, or their
    number if there are many; above_0 and above_127 are shares of mask pixels.
    """
    row: dict[str, Any] = {"item": pair.item, "flags": "", "height": 0, "width": 0, "format": "", "mode": ""}
    row |= {"mask_mode": "", "labels": "", "above_0": np.nan, "above_127": np.nan}
    try:
        flags, head = _header(pair.image)
        image = read_image(pair.image)
        stored, mask = _mask(pair.mask, classes, coded)
    except UserError as error:
        return row | {"flags": "unreadable", "labels": str(error)}, None
    raw, is_grey = stored.values, classes == 1 and not coded
    values = np.flatnonzero(np.bincount(raw.ravel())) if raw.dtype == np.uint8 else np.unique(raw)
    spread = cv2.meanStdDev(image)[1].max()
    row |= {**head, "height": image.shape[0], "width": image.shape[1], "mask_mode": str(raw.dtype)}
    row["labels"] = " ".join(map(str, values.tolist())) if len(values) <= FEW_LABELS else f"{len(values)} values"
    known = mask if is_grey else mask[mask != IGNORED]
    row["above_0"], row["above_127"] = (
        float((known > low).mean()) if known.size else 0.0 for low in (0, 127 * is_grey)
    )
    checks = {
        "sizes differ": image.shape[:2] != mask.shape,
        "blank image": bool(spread < BLANK),
        "empty mask": row["above_127"] == 0,
        "full mask": row["above_127"] > FULL,
        "lossy mask": len(values) > FEW_LABELS,
        "label values": is_grey and len(values) <= FEW_LABELS and int(values.max()) not in (0, 255),
        "coded mask": is_grey and 2 < len(values) <= FEW_LABELS and not stored.is_lossy,
        "alpha mask": stored.channel == "alpha",
        "colour mask": stored.channel not in ("grey", "alpha", "palette colour", "palette index"),
        "grey image": bool((image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all()),
    }
    return row | {"flags": "; ".join([*flags, *(name for name, is_set in checks.items() if is_set)])}, image


def _header(path: Path) -> tuple[list[str], dict[str, str]]:
    """Return the flags that a file's header sets, and its format and mode."""
    with opened(path) as image:
        checks = {
            "turned by EXIF": image.getexif().get(ExifTags.Base.Orientation, 1) != 1,
            "16 bit": image.mode.startswith("I") or image.mode == "F",
            "alpha": image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info,
            "palette": image.mode == "P",
        }
        return [name for name, is_set in checks.items() if is_set], {"format": str(image.format), "mode": image.mode}


def _mask(path: Path, classes: int, coded: bool) -> tuple[Stored, Array]:
    """Return the values of a mask as stored (.mat: labels) and as `bench prepare` reads them."""
    mask = read_mask(path, classes, coded)
    if path.suffix.lower() == ".mat":
        return Stored(crackforest_labels(path)), mask
    try:
        return read_stored(path), mask
    except UserError:  # several colours
        return Stored(np.asarray(decode(path).convert("L")), "colour"), mask


def doubt_about_all(frame: pd.DataFrame) -> str | None:
    """Return what is unlikely about the masks of a dataset taken together, or None; ``frame`` has their findings."""
    above = frame["above_127"].dropna()
    if len(above) and not above.any():
        return "nothing is labelled: empty masks, another layer, or labels in values up to 127"
    if len(above) and above.mean() > FULL:
        return "more than half of all pixels are crack: the masks may be inverted"
    return None


def unpaired(root: Path) -> list[str]:
    """Return the files in images/ and masks/ that have no partner of the same name."""
    stems = {part: {p.stem: p for p in (root / part).glob("*")} for part in ("images", "masks")}
    lonely = stems["images"].keys() ^ stems["masks"].keys()
    return sorted(f"{part}/{stems[part][s].name}" for part in stems for s in lonely & stems[part].keys())
