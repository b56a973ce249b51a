"""Look into a user's folder: its pairs, the meaning of its masks, and what is unusual about them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from bench.data.convention import Census, Convention, census, crack_share, described, recognise, stated
from bench.data.dataset import Pair
from bench.data.folder import Layout, drawn_layout, find_layout, holds_masks
from bench.data.images import WHITE, read_16_bit, read_image, white_of
from bench.data.own_folder import published_parts, turn_of
from bench.errors import UserError, shorten
from bench.tools.annotations import annotation_files
from bench.tools.draw_annotations import draw_annotations
from bench.tools.reading import Reading, Values, in_values

CROPS = (r"(.+)_\d+_\d+", r"(.+)[_-]\d+")
"""Names of crops: photo_x_y, photo_n and photo-n."""


@dataclass(frozen=True)
class Contents:
    """The contents of a folder, as understood.

    Attributes:
        layout: its pairs.
        parts: published split: name of a pair -> train, validation or test; empty if there is none.
        masks: values of each mask, in the order of the pairs.
        convention: the meaning of the values.
        crack_share: of the pixels that are not ignored, 0 to 1.
        photos: source images.
        sizes: images of each size (w, h), px.
        resized, turned: masks that are resized, and rotated, to lie on their images.
        white: grey level of white in images of 16 bits.
        labels: of the annotations that the masks were drawn from, with the values 1, 2, and so on; else empty.
    """

    layout: Layout
    parts: dict[str, str]
    masks: list[Census]
    convention: Convention
    crack_share: float
    photos: int
    sizes: Counter[tuple[int, int]]
    resized: int
    turned: int
    white: int
    labels: list[str]


def inspect_folder(folder: Path, reading: Reading, drawn: Path) -> Contents:
    """Return the contents of a folder.

    Args:
        folder: contains images with masks, or with COCO or labelme files.
        reading: the user's statements about it.
        drawn: folder for masks drawn from COCO or labelme files.

    Raises:
        UserError: there are no pairs, a file cannot be read, a mask does not lie on its image, or the values of the
            masks are ambiguous.
    """
    layout, labels = _layout(folder, reading, drawn)
    parts = published_parts(layout, reading.split)
    masks: list[Census] = []
    sizes: Counter[tuple[int, int]] = Counter()
    faults: list[str] = []
    resized = turned = brightest = 0
    for pair in tqdm(layout.pairs, desc="read pairs", unit="pair"):
        try:
            counted, values = census(pair.mask)
            turn, size = turn_of(pair, reading.exif), read_image(pair.image).shape[:2]
        except UserError as error:
            faults.append(str(error))
            continue
        masks.append(counted)
        turned += turn != 1
        resized += (values.shape[::-1] if turn >= 5 else values.shape) != size
        sizes[size[1], size[0]] += 1
        if (deep := read_16_bit(pair.image)) is not None:
            brightest = max(brightest, int(deep.max()))
    if faults:
        others = f" ({len(faults) - 1} more of {len(layout.pairs)} pairs are faulty)" if len(faults) > 1 else ""
        raise UserError(faults[0] + others)
    convention = _convention(masks, in_values(masks, reading, labels))
    photos = {source_image(reading.photo, pair.item) for pair in layout.pairs}
    share = crack_share(masks, convention)
    return Contents(
        layout, parts, masks, convention, share, len(photos), sizes, resized, turned, white_of(brightest), labels
    )


def _layout(folder: Path, reading: Reading, drawn: Path) -> tuple[Layout, list[str]]:
    """Return the pairs of a folder and the labels of its annotations, which are used if it has no masks."""
    is_named = (reading.masks or "").lower().endswith(".json")
    if not is_named and (reading.images or reading.masks or not folder.is_dir() or holds_masks(folder)):
        return find_layout(folder, reading.images, reading.masks), []
    if reading.images:
        raise UserError("leave out --images: the annotation files of --masks name the images.")
    contents = annotation_files(folder, reading.masks)
    if not contents and not is_named:
        return find_layout(folder), []
    labels = draw_annotations(folder, contents, drawn)
    return drawn_layout(folder, drawn), labels


def _convention(masks: Sequence[Census], values: Values) -> Convention:
    if values.crack and values.classes not in (None, 1):
        raise UserError("give either --crack or --classes: both say what the values of the masks mean.")
    if values.crack:
        return stated(masks, values.crack, (), values.ignore)
    if isinstance(values.classes, tuple):
        return stated(masks, (), values.classes, values.ignore)
    return recognise(masks, values.ignore, values.classes)


def source_image(pattern: str, item: str) -> str:
    """Return the source image in the name of a pair; a name that does not match is its own."""
    match = re.fullmatch(pattern, item)
    return match[1] if match else item


def doubt(contents: Contents) -> str:
    """Return why the labels are likely wrong, or "" if they are not."""
    convention = contents.convention
    if contents.crack_share == 0:
        return (
            "no pixel of the masks is crack: they are empty, or the labels are in another layer or channel "
            f"(values: {described(contents.masks)})."
        )
    if contents.crack_share > 0.5 and not convention.classes:
        others = convention.background
        hint = f" (`--crack {others[0]}` reads them so)" if len(others) == 1 else ""
        return (
            f"{100 * contents.crack_share:.2f} % of all pixels are crack: the masks are likely inverted{hint}, or of "
            f"another layer (values: {described(contents.masks)})."
        )
    return ""


def table(contents: Contents, photo: str) -> str:
    """Return a summary of the contents, one fact per line."""
    pairs, layout = contents.layout.pairs, contents.layout
    parts = Counter(contents.parts.values())
    split = ", ".join(f"{parts[part]} {part}" for part in ("train", "validation", "test") if parts[part])
    channels = Counter(mask.channel for mask in contents.masks)
    common = [f"{width}x{height}" for (width, height), _ in contents.sizes.most_common(3)]
    rows = {
        "pairs": f"{len(pairs)}",
        "folders": ", ".join(layout.folders),
        "published split": f"{split}: used with prepare.split: published" if split else "",
        "source images": f"{contents.photos}",
        "sizes": ", ".join(common)
        + (f" and {len(contents.sizes) - 3} others" if len(contents.sizes) > 3 else "")
        + " px",
        "annotations": ", ".join(f"{value} {label}" for value, label in enumerate(contents.labels, 1)),
        "values": described(contents.masks),
        "read from": ", ".join(f"{name} ({count} masks)" for name, count in channels.items()),
        "meaning": meaning(contents.convention),
        "crack share": f"{100 * contents.crack_share:.2f} % of the pixels that count",
        "masks without crack": f"{_empty(contents)}" if _empty(contents) else "",
        "resized masks": f"{contents.resized}, of the shape of their images (nearest)" if contents.resized else "",
        "rotated masks": f"{contents.turned}, by the EXIF orientation of their images" if contents.turned else "",
        "white level": f"{contents.white}, in images of 16 bits" if contents.white != WHITE else "",
        "left out": shorten(layout.left_out, 3) if layout.left_out else "",
        "hint": _hint(pairs, photo),
    }
    return "\n".join(f"  {name:<20}{text}" for name, text in rows.items() if text)


def _empty(contents: Contents) -> int:
    return sum(crack_share([mask], contents.convention) == 0 for mask in contents.masks)


def meaning(convention: Convention) -> str:
    """Return the meaning of the values in words."""
    ignored = f"; ignored: {_listed(convention.ignore)}" if convention.ignore else ""
    if convention.classes:
        named = (f"{name}: {_listed([v for v, n in convention.classes if n == name])}" for name in convention.names)
        return f"{len(convention.names)} classes ({', '.join(named)}){ignored}"
    if not convention.crack:
        return "grey levels; the crack share below is that above 127"
    return f"crack: {_listed(convention.crack)}; background: {_listed(convention.background)}{ignored}"


def _listed(values: Sequence[int]) -> str:
    return " ".join(map(str, values)) or "none"


def _hint(pairs: Sequence[Pair], photo: str) -> str:
    """Return the pattern of source images that the names suggest, or "" if --photo is set or none fits."""
    if photo != Reading.photo:
        return ""
    for pattern in CROPS:
        matches = [match for pair in pairs if (match := re.fullmatch(pattern, pair.item))]
        photos = len({match[1] for match in matches}) + len(pairs) - len(matches)
        is_place = pattern != CROPS[0] or any(int(n) > 99 for m in matches for n in m[0][len(m[1]) :].split("_")[1:])
        if is_place and len(matches) > len(pairs) / 2 and max(2, len(pairs) / 20) <= photos < len(pairs):
            return f"the names look like crops of {photos} source images: --photo '{pattern}'"
    return ""
