"""A split as a file: which item is in which part, with the hash of its content; written once and used again."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.formats import files


def load_or_create(
    folder: Path, dataset: str, kind: str, items: Sequence[str], facts: Mapping[str, Any], make: Callable[[], list[str]]
) -> list[str]:
    """Return the part of each item from the manifest of this split; make it and write the manifest if there is none.

    The manifest is ``<dataset>-<kind>-<key>.json``; the key is a hash of the items and of ``facts``, so that other
    data or settings have a manifest of their own.

    Raises:
        UserError: the manifest was edited or does not fit.
    """
    path = folder / f"{dataset}-{kind}-{files.digest({'items': list(items), **facts})}.json"
    if not path.exists():
        parts = dict(zip(items, make(), strict=True))
        files.write_json(path, {"facts": dict(facts), "content": files.digest(parts), "items": parts})
    cure = "restore it from git, or delete it to make it again"
    manifest = files.read_object(path, {"items": dict, "content": str}, cure)
    parts = manifest["items"]
    if manifest["content"] != files.digest(parts) or set(parts) != set(items):
        raise UserError(f"{path} was edited or is damaged: {cure}.")
    return [str(parts[item]) for item in items]
