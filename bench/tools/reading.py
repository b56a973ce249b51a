"""The user's statements about a folder of images and masks, and what they mean for the values of the masks."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from bench.data.convention import Census
from bench.data.own_folder import Exif
from bench.errors import UserError


@dataclass(frozen=True)
class Reading:
    """The user's statements about a folder.

    Attributes:
        images, masks: patterns of the paths; None: found by the usual names.
        crack: values of crack, or labels of annotations; empty: read from the masks.
        classes: number of classes, or (value or label, name) of each; None: read from the masks.
        ignore: values or labels of pixels that do not count.
        photo: pattern whose first group is the source image in the name of a pair.
        exif: what masks of rotated images were drawn on.
        split: CSV file with the part of each pair; None: the folders train, val and test, if there are any.
    """

    images: str | None = None
    masks: str | None = None
    crack: tuple[str, ...] = ()
    classes: int | tuple[tuple[str, str], ...] | None = None
    ignore: tuple[str, ...] = ()
    photo: str = "(.*)"
    exif: Exif | None = None
    split: str | None = None


@dataclass(frozen=True)
class Values:
    """The user's statements about the values of masks; see ``Reading``."""

    crack: tuple[int, ...]
    classes: int | tuple[tuple[int, str], ...] | None
    ignore: tuple[int, ...]


def in_values(masks: Sequence[Census], reading: Reading, labels: Sequence[str]) -> Values:
    """Return the statements with the values of labels for their names.

    Raises:
        UserError: a name is no label, or there are several labels and no statement which are crack.
    """
    numbers = {label: number for number, label in enumerate(labels, 1)}

    def value(option: str, given: str) -> int:
        if labels and given not in numbers:
            raise UserError(f"{option} {given}: no annotation has this label. There are: {', '.join(labels)}.")
        if not labels and not (given.isdecimal() and int(given) <= 255):
            raise UserError(f"{option} {given}: give values of the masks from 0 to 255; only annotations have names.")
        return numbers[given] if labels else int(given)

    counted = [label for label in labels if label not in reading.ignore]
    if len(counted) > 1 and not reading.crack and not isinstance(reading.classes, tuple):
        named = ",".join(f"{label}={label}" for label in labels)
        raise UserError(
            f"the annotations have {len(labels)} labels: {_shares(masks, labels)}. State their meaning: `--crack "
            f"LABEL[,LABEL]` (the others are background), `--classes {shlex.quote(named)}` (classes), or "
            "`--ignore LABEL[,LABEL]` (pixels that do not count)."
        )
    classes: int | tuple[tuple[int, str], ...] | None
    if isinstance(reading.classes, tuple):
        classes = tuple((value("--classes", given), name) for given, name in reading.classes)
    else:
        classes = reading.classes
    crack, ignore = (
        tuple(value(option, v) for v in stated_values)
        for option, stated_values in (("--crack", reading.crack), ("--ignore", reading.ignore))
    )
    return Values(crack, classes, ignore)


def _shares(masks: Sequence[Census], labels: Sequence[str]) -> str:
    """Return labels with their shares of all pixels: "crack (3.10 %), spalling (7.00 %)"."""
    pixels = sum(sum(mask.counts.values()) for mask in masks)
    return ", ".join(
        f"{label} ({100 * sum(mask.counts.get(value, 0) for mask in masks) / pixels:.2f} %)"
        for value, label in enumerate(labels, 1)
    )
