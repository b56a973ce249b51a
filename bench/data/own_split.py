"""The published split of a user's own dataset: from its folders train, val and test, or from a CSV file."""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import UserError, shorten
from bench.formats import files

FILE = "split.csv"
"""Name of the split in the folder of a downloaded dataset; columns item, split."""
PARTS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


def read_split_file(path: Path, items: Sequence[str]) -> dict[str, str]:
    """Return the part of each item from a CSV file with the columns item (or file) and split.

    Args:
        path: the file; an item may be written with the ending of its image.
        items: all items of the dataset.

    Raises:
        UserError: the file or a column is missing, an item is missing, unknown or listed twice, or a part is unknown.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--split {path} cannot be read ({error}): give a CSV file with columns item, split.") from None
    columns = {name.strip().lower(): name for name in rows[0] if name} if rows else {}
    key = columns.get("item") or columns.get("file")
    if key is None or "split" not in columns:
        raise UserError(f"--split {path} needs the columns item and split, has {', '.join(columns) or 'none'}.")
    parts: dict[str, str] = {}
    for row in rows:
        name, part = (str(row[column] or "").strip() for column in (key, columns["split"]))
        name, part = unicodedata.normalize("NFC", name), part.lower()  # as the names of pairs
        item = name if name in items else Path(name).stem
        if part not in PARTS:
            raise UserError(f"--split {path}: {name} is in {part!r}: write train, val or test.")
        if item in parts:
            raise UserError(f"--split {path}: {name} is listed twice.")
        parts[item] = PARTS[part]
    unknown, missing = sorted(parts.keys() - set(items)), sorted(set(items) - parts.keys())
    if unknown or missing:
        kind = "lists unknown items" if unknown else "lacks items"
        raise UserError(f"--split {path} {kind}: {shorten(unknown or missing)}.")
    return with_test(parts)


def with_test(parts: Mapping[str, str]) -> dict[str, str]:
    """Return a split whose validation part is the test part if it has none."""
    if "test" in parts.values():
        return dict(parts)
    return {item: "test" if part == "validation" else part for item, part in parts.items()}


def write_own_split(folder: Path, parts: Mapping[str, str]) -> None:
    """Write the split beside the images of a downloaded dataset; nothing if there is none."""
    if parts:
        content = io.StringIO()
        csv.writer(content, lineterminator="\n").writerows([("item", "split"), *sorted(parts.items())])
        files.write_text(folder / FILE, content.getvalue())


def own_split(folder: Path, items: Sequence[str]) -> list[str] | None:
    """Return the part of each item as written beside its images, or None if nothing is.

    Raises:
        UserError: an item is missing.
    """
    if not (folder / FILE).is_file():
        return None
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        parts = {row["item"]: row["split"] for row in csv.DictReader(file)}
    if missing := sorted(set(items) - parts.keys()):
        raise UserError(f"{folder / FILE} lacks items: {shorten(missing)}: run `bench download` again.")
    return [parts[item] for item in items]
