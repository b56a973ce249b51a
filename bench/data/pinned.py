"""The files of the datasets that are public at a pinned commit: repository, commit, path, bytes and SHA-256 of each."""

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from bench import plugins
from bench.data.binary_mask import binary_mask
from bench.data.dataset import Pinned
from bench.data.sources import Origin
from bench.errors import UserError
from bench.formats import files

PATH = Path(__file__).with_name("pinned.csv.gz")
PINNED = "pinned"
"""The value of ``download.source`` that fetches these files, and the source in the records of these datasets."""


@dataclass(frozen=True)
class PinnedFile:
    """One file at a commit.

    Attributes:
        dataset: id of the dataset that it belongs to.
        repository: owner and name on GitHub.
        commit: full id of the commit.
        path: path in the repository.
        bytes: size.
        sha256: checksum.
        target: path below the dataset's folder, ``images/X`` or ``masks/X``.
    """

    dataset: str
    repository: str
    commit: str
    path: str
    bytes: int
    sha256: str
    target: str


@cache
def _manifest() -> dict[str, tuple[PinnedFile, ...]]:
    """Return the files of each dataset."""
    by_dataset: dict[str, list[PinnedFile]] = {}
    with gzip.open(PATH, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            file = PinnedFile(bytes=int(row.pop("bytes")), **row)
            by_dataset.setdefault(file.dataset, []).append(file)
    return {name: tuple(rows) for name, rows in by_dataset.items()}


def pinned_datasets() -> list[str]:
    """Return the ids of the datasets with pinned files, sorted."""
    return sorted(_manifest())


def pinned_files(name: str) -> tuple[PinnedFile, ...]:
    """Return the files of a dataset, sorted by target.

    Raises:
        UserError: the dataset has none.
    """
    if name not in _manifest():
        raise UserError(
            f"dataset {name!r} has no files at a pinned commit, only {', '.join(pinned_datasets())} have: "
            "set download.source to 'collection' or 'originals', or drop it from `datasets`."
        )
    return _manifest()[name]


def pinned_origin(name: str, read: Callable[[PinnedFile], bytes]) -> Origin:
    """Return the origin of a dataset; the same wherever its files come from.

    Args:
        name: id of the dataset.
        read: returns the verified content of a file.
    """
    source: Pinned = plugins.load("datasets", name).PINNED
    chosen = pinned_files(name)

    def fill(folder: Path) -> None:
        for file in chosen:
            content = read(file)
            if file.target.startswith("masks/") and PurePosixPath(file.target).suffix != ".mat":
                content = binary_mask(content, source.crack_value, f"{file.repository}: {file.path}")
            (folder / file.target).write_bytes(content)

    return Origin(_facts(source, chosen), fill)


def _facts(source: Pinned, chosen: Sequence[PinnedFile]) -> dict[str, Any]:
    """Return the provenance: ``sha256`` identifies the content of all files as published."""
    return {
        "source": PINNED,
        "repository": source.repository,
        "commit": source.commit,
        "sha256": files.digest({file.target: file.sha256 for file in chosen}),
        "files": len(chosen),
        "crack_value": source.crack_value,
    }
