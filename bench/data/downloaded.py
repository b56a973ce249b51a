"""The folder of one downloaded dataset: read its record, check it, replace it atomically."""

import shutil
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench import plugins
from bench.data.dataset import pairs_of
from bench.data.index import deviations
from bench.data.sources import Origin, content_hash
from bench.errors import UserError, os_error_line, shorten
from bench.formats import files

NETWORK = ("collection", "originals")
"""Sources that are downloaded, as ``download.source`` names them."""
PARTIAL = ".partial"
"""Suffix of a folder that is not complete yet."""


def read_record(folder: Path) -> dict[str, Any]:
    """Return the content of source.json; empty if the folder has none.

    Raises:
        UserError: the file is damaged.
    """
    path, kinds = folder / "source.json", {"source": str, "content": str, "files": int, "bytes": int}
    return dict(files.read_object(path, kinds, f"delete {folder} and download again")) if path.is_file() else {}


def is_filled(folder: Path, facts: dict[str, Any]) -> bool:
    """Return whether a folder was filled from this source, and still has as many files and bytes."""
    record = read_record(folder)
    if not record or any(record.get(key) != value for key, value in facts.items()):
        return False
    present = [p for part in ("images", "masks") for p in (folder / part).glob("*")]
    return [len(present), sum(p.stat().st_size for p in present)] == [record["files"], record["bytes"]]


def replace(name: str, folder: Path, origin: Origin) -> None:
    """Fill a temporary folder, compare it with the index, and move it into place atomically.

    Raises:
        UserError: the disk is full, or a file of the source cannot be read.
    """
    plugin = plugins.load("datasets", name)
    partial = folder.with_name(f".{folder.name}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    for part in ("images", "masks"):
        (partial / part).mkdir(parents=True)
    try:
        origin.fill(partial)
    except OSError as error:
        line = os_error_line(error, Path(error.filename or folder), written=content_hash(partial)[2])
        shutil.rmtree(partial)
        raise UserError(line) from error
    content, count, size = content_hash(partial)
    record = {**origin.facts, "licence": plugin.CARD.licence, "citation": plugin.CARD.citation}
    record |= {"content": content, "files": count, "bytes": size}
    if origin.facts["source"] in NETWORK:
        lines = deviations(plugin.PREFIX, pairs_of(plugin, partial), origin.facts["source"])
        files.write_text(partial / "deviations.txt", "".join(f"{line}\n" for line in lines))
        record["deviations"] = len(lines)
        if lines:
            tqdm.write(f"{name}: deviates from the collection's index: {shorten(lines)}", file=sys.stderr)
    tqdm.write(f"{name}: licence: {plugin.CARD.licence}. Cite: {plugin.CARD.citation}", file=sys.stderr)
    before = read_record(folder)
    if content_hash(folder)[0] == content and all(
        before.get(key) == record.get(key) for key in ("source", "content", "split")
    ):
        shutil.rmtree(partial)  # another archive with the same files: results that depend on them stay valid
        return
    files.write_json(partial / "source.json", record)
    files.write_checksums(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
