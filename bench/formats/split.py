"""The manifest of a split: the part of each item, with a content hash; written once, then reused."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.formats import files


def load_or_create(
    folder: Path, dataset: str, kind: str, items: Sequence[str], facts: Mapping[str, Any], make: Callable[[], list[str]]
) -> list[str]:
    """Return the part of each item from the manifest of this split; create the manifest first if it is missing.

    The manifest is ``<dataset>-<kind>-<key>.json``; the key is a hash of the items and of ``facts``, so that different
    data or settings use different manifests.

    Raises:
        UserError: the manifest was edited, is damaged or lists other items.
    """
    path = folder / f"{dataset}-{kind}-{files.digest({'items': list(items), **facts})}.json"
    if not path.exists():
        parts = dict(zip(items, make(), strict=True))
        files.write_json(path, {"facts": dict(facts), "content": files.digest(parts), "items": parts})
    hint = "restore it from git, or delete it to create it again"
    manifest = files.read_object(path, {"items": dict, "content": str}, hint)
    parts = manifest["items"]
    if manifest["content"] != files.digest(parts) or set(parts) != set(items):
        raise UserError(f"{path} was edited or is damaged: {hint}.")
    return [str(parts[item]) for item in items]
