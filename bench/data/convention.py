"""The convention of a folder of masks: which values are crack, classes, background, or ignored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.data.labels import narrow, read_stored
from bench.errors import UserError
from bench.formats.prepared import IGNORED

Array = npt.NDArray[np.uint8]

FEW = 16
"""A mask with more values has grey levels, which a threshold binarises; with fewer, its values are codes."""


@dataclass(frozen=True)
class Convention:
    """The meaning of the values of a dataset's masks; an empty one stands for grey levels.

    Attributes:
        crack: values of crack, if the masks show crack against background.
        background: the other values.
        classes: (value, name) of each class, in the order of the classes; the first is background.
        ignore: values of pixels that count neither in training nor in scores.
    """

    crack: tuple[int, ...] = ()
    background: tuple[int, ...] = ()
    classes: tuple[tuple[int, str], ...] = ()
    ignore: tuple[int, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the classes, background first; empty for crack against background."""
        return list(dict.fromkeys(name for _, name in self.classes))

    @property
    def is_coded(self) -> bool:
        """Whether canonical masks hold class numbers, with 255 ignored, instead of 0 and 255."""
        return bool(self.classes or self.ignore)


@dataclass(frozen=True)
class Census:
    """The values of one mask: {value: pixels}, the channel they were read from, and whether they are lossy (JPEG)."""

    path: Path
    counts: dict[int, int]
    channel: str
    is_lossy: bool

    @property
    def is_soft(self) -> bool:
        """Whether the mask has grey levels."""
        return self.is_lossy or len(self.counts) > FEW


def census(path: Path) -> tuple[Census, Array]:
    """Return the census of a mask, and its values, uint8 (H, W).

    Raises:
        UserError: the mask cannot be read.
    """
    stored = read_stored(path)
    values = narrow(path, stored.values)
    counts = np.bincount(values.ravel(), minlength=256)
    counted = {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    return Census(path, counted, stored.channel, stored.is_lossy), values


def meanings(mask: Census, convention: Convention) -> dict[int, int]:
    """Return {value: canonical value} of a mask.

    Canonical values are 0 and 255, or if the convention is coded, class numbers and 255 for ignored pixels. Grey levels
    stay as they are, unless a mask has only 0 and one other value, which is crack whatever it is; those of a JPEG
    are cut at half.

    Raises:
        UserError: the mask has a value that the convention does not know.
    """
    if not convention.crack and not convention.classes:
        others = set(mask.counts) - {0}
        if mask.is_lossy:
            return {value: 255 if value > 127 else 0 for value in mask.counts}
        if len(others) == 1 and len(mask.counts) == 2:
            return {0: 0, others.pop(): 255}
        return {value: value for value in mask.counts}
    numbers = {name: number for number, name in enumerate(convention.names)}
    known = {value: numbers[name] for value, name in convention.classes}
    known |= dict.fromkeys(convention.background, 0)
    known |= dict.fromkeys(convention.crack, 1 if convention.is_coded else 255)
    known |= dict.fromkeys(convention.ignore, IGNORED)
    if unknown := sorted(set(mask.counts) - set(known)):
        raise UserError(
            f"{mask.path} has the value {unknown[0]}, which no other mask had when the dataset was added: "
            "correct the mask, or add the dataset again with --replace."
        )
    return {value: known[value] for value in mask.counts}


def canonical(path: Path, convention: Convention) -> Array:
    """Return a mask with canonical values, see `meanings`.

    Raises:
        UserError: the mask cannot be read, or has a value that the convention does not know.
    """
    counted, values = census(path)
    table = np.zeros(256, np.uint8)
    for value, meaning in meanings(counted, convention).items():
        table[value] = meaning
    return np.asarray(table[values])


def crack_share(masks: Iterable[Census], convention: Convention, threshold: int = 127) -> float:
    """Return the share of crack, or of all classes but background, among the pixels that are not ignored; 0 if all are.

    Grey levels are crack above ``threshold``.

    >>> masks = [Census(Path("a.png"), {0: 90, 1: 10, 9: 100}, "grey", False)]
    >>> crack_share(masks, Convention(crack=(1,), background=(0,), ignore=(9,)))
    0.1
    """
    crack = known = 0
    low, high = (0, IGNORED) if convention.is_coded else (threshold, 256)
    for mask in masks:
        for value, meaning in meanings(mask, convention).items():
            crack += mask.counts[value] if low < meaning < high else 0
            known += mask.counts[value] if meaning != high else 0
    return crack / known if known else 0.0


def recognise(masks: Sequence[Census], ignore: Sequence[int] = (), classes: int | None = None) -> Convention:
    """Return the convention of masks that follow a usual one.

    Masks of 0 and one other value are binary, those of 0 and 1 also beside those of 0 and 255. Values 0, 1, 2 and so on
    without gaps are classes. Many values are grey levels.

    Args:
        masks: census of each mask.
        ignore: values of pixels to ignore.
        classes: number of classes, background included, 1 for crack against background; None: read from the values.

    Raises:
        UserError: the values are ambiguous.
    """
    values = set().union(*(mask.counts for mask in masks)) - set(ignore)
    soft = [mask for mask in masks if mask.is_soft]
    _require_one_colour(masks)
    if classes is not None and classes > 1:
        return _numbered(masks, classes, ignore)
    if soft and not ignore and 2 * len(soft) >= sum(len(mask.counts) > 2 for mask in masks):
        _require_no_codes(masks if classes is None else [])
        return Convention()
    is_binary = all(len(set(mask.counts) - {0, *ignore}) <= 1 for mask in masks)
    others = values - {0}
    if not soft and is_binary and (len(others) <= 1 or others <= {1, 255}):
        return Convention(tuple(sorted(others or {255})), (0,), (), tuple(ignore))
    if not soft and classes is None and values == set(range(len(values))) and len(values) > 2:
        return _numbered(masks, len(values), ignore)
    raise UserError(
        f"the masks contain {described(masks)}: a few values are codes, not grey levels. State their meaning: "
        "`--crack V[,V]` (values of crack, the others are background), `--classes V=name,V=name` (classes), "
        "`--ignore V[,V]` (pixels that do not count)."
    )


def _require_no_codes(masks: Sequence[Census]) -> None:
    """Refuse three or more masks of the same few values among others of grey levels: smoothed edges differ by mask."""
    few = {mask.path: tuple(mask.counts) for mask in masks if not mask.is_soft and len(mask.counts) > 2}
    frequency = Counter(few.values())
    for path, values in few.items():
        if (count := frequency[values]) >= 3:
            raise UserError(
                f"{count} masks, such as {path}, contain only {', '.join(map(str, values))}, others have grey levels: "
                "add them as two datasets, or with `--classes 1` take all as grey levels."
            )


def _numbered(masks: Sequence[Census], classes: int, ignore: Sequence[int]) -> Convention:
    """Return the convention of masks that hold class numbers."""
    for mask in masks:
        if (highest := max(set(mask.counts) - set(ignore), default=0)) >= classes:
            raise UserError(
                f"{mask.path} has the value {highest}: with --classes {classes} values must be below {classes}. "
                f"The masks contain {described(masks)}: `--classes V=name,...` names other values, `--ignore V` "
                "ignores their pixels."
            )
    names = ((value, "background" if value == 0 else f"class {value}") for value in range(classes))
    return Convention((), (), tuple(names), tuple(ignore))


def stated(
    masks: Sequence[Census], crack: Sequence[int], classes: Sequence[tuple[int, str]], ignore: Sequence[int]
) -> Convention:
    """Return the convention that a user states: values of crack, or (value, name) of classes, and values to ignore.

    Raises:
        UserError: the masks have grey levels, lack a stated value, or have one without a name.
    """
    _require_one_colour(masks)
    if soft := [mask for mask in masks if mask.is_soft]:
        raise UserError(
            f"{soft[0].path} has {len(soft[0].counts)} grey levels (JPEG or smoothed), which a threshold "
            "binarises: leave out --crack, --classes and --ignore."
        )
    values = set().union(*(mask.counts for mask in masks))
    named = {0: "background", **dict(classes)} if classes else {}
    if lacking := sorted({*crack, *ignore, *dict(classes)} - values - {0}):
        raise UserError(f"no mask has the value {lacking[0]}; they contain {described(masks)}.")
    if classes and (unnamed := sorted(values - set(named) - set(ignore))):
        raise UserError(
            f"--classes does not name the value {unnamed[0]}; the masks contain {described(masks)}. Add "
            f"`{unnamed[0]}=name`, `{unnamed[0]}=background`, or `--ignore {unnamed[0]}`."
        )
    ordered = sorted(named.items(), key=lambda entry: entry[1] != "background")
    if classes and len({name for _, name in ordered}) == 2:
        crack, ordered = [value for value, name in ordered if name != "background"], []
    if ordered:
        return Convention((), (), tuple(ordered), tuple(ignore))
    return Convention(tuple(crack), tuple(sorted(values - {*crack, *ignore})), (), tuple(ignore))


def _require_one_colour(masks: Sequence[Census]) -> None:
    """Refuse masks that are drawn in different colours, which may be classes."""
    uncoloured = ("grey", "alpha", "palette colour", "palette index")
    first = {mask.channel: mask.path for mask in reversed(masks) if mask.channel not in uncoloured}
    if len(first) > 1:
        (one, path), (other, other_path) = sorted(first.items(), key=lambda entry: entry[1])[:2]
        raise UserError(
            f"{path} is {one} on black, {other_path} is {other}: colours may be classes. "
            "Convert the masks to one value per class."
        )


def described(masks: Sequence[Census]) -> str:
    """Return the values of masks and their shares: "0 (95.00 %), 255 (5.00 %)"."""
    total: Counter[int] = Counter()
    for mask in masks:
        total.update(mask.counts)
    pixels = max(sum(total.values()), 1)
    if len(total) > FEW:
        return f"{len(total)} values from {min(total)} to {max(total)}"
    return ", ".join(f"{value} ({100 * total[value] / pixels:.2f} %)" for value in sorted(total))
