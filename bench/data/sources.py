"""Find the files of a dataset in an archive or folder of any supported layout, and extract them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bench import plugins
from bench.data.binary_mask import binary_mask
from bench.data.collection import select_from_collection
from bench.data.dataset import IMAGE_SUFFIXES, MASK_SUFFIXES
from bench.data.unpack import MAX_MEMBER_BYTES, Tree, open_tree
from bench.errors import UserError
from bench.formats import files


@dataclass(frozen=True)
class Origin:
    """The provenance of a dataset, and a function that writes its files into a folder."""

    facts: dict[str, Any]
    fill: Callable[[Path], None]


class NotHeldError(UserError):
    """An archive or folder contains no file of a dataset, or not all of its pinned files."""


def from_path(name: str, path: Path, sha256: str | None) -> Origin:
    """Return the origin of a dataset in an archive or folder.

    Args:
        name: id of the dataset.
        path: archive or folder, laid out like the merged collection, the original, or the output of `bench download`.
        sha256: checksum of an archive; for a folder it is computed here.

    Raises:
        NotHeldError: it does not contain the dataset.
        UserError: the archive is damaged or refused.
    """
    with open_tree(path) as tree:
        kind, value, chosen = _choose(name, path, tree)

    def fill(folder: Path) -> None:
        with open_tree(path) as tree:
            for target, member in chosen.items():
                content = tree.read(member)
                if len(content) > MAX_MEMBER_BYTES:
                    raise UserError(f"{path}: {member!r} has {len(content)} bytes: not an image, refused.")
                is_coded = value is not None and target.startswith("masks/")
                _write(folder, target, binary_mask(content, value, f"{path}: {member}") if is_coded else content)

    if path.is_dir():
        sha256 = _digest({target: path / member for target, member in chosen.items()})
    facts = {"source": kind, "archive": path.name, "sha256": sha256, "files": len(chosen), "crack_value": value}
    return Origin(facts, fill)


def _choose(name: str, path: Path, tree: Tree) -> tuple[str, int | None, dict[str, str]]:
    """Return the source, the crack value and {target: member} of a dataset, from the first layout that has files.

    The order is: the original, the merged collection, a folder that `bench download` wrote.

    Raises:
        NotHeldError: no layout has files of the dataset.
    """
    plugin = plugins.load("datasets", name)
    written = _written(name, path, tree)
    inside = {member for folder in written for member in folder.members.values()}
    names = [member for member in tree.names if member not in inside]
    if plugin.ORIGINAL and (chosen := dict(plugin.ORIGINAL.select(names))):
        return "originals", plugin.ORIGINAL.crack_value, chosen
    if chosen := dict(select_from_collection(plugin.PREFIX, names)):
        return "collection", None, chosen
    kind, chosen = _own_layout(name, plugin.PREFIX, written)
    if not chosen:
        raise NotHeldError(
            f"{path} holds no images of the dataset {name!r} (expected {plugin.PREFIX}*.jpg in images/ and masks/, "
            "or the original's layout): use another archive, or drop the dataset from `datasets` in params.yaml."
        )
    return kind, None, chosen


def _digest(chosen: Mapping[str, Path]) -> str:
    """Return the hash of files under their target names."""
    return files.digest({target: files.sha256(path) for target, path in chosen.items()})


@dataclass(frozen=True)
class _Written:
    """A folder written by `bench download`: its name, the source in its record, {path below it: member}."""

    name: str
    source: str
    members: dict[str, str]


def _written(name: str, path: Path, tree: Tree) -> list[_Written]:
    """Return the folders in ``path`` that `bench download` wrote, the shortest path first.

    Raises:
        UserError: the dataset's folder has a record that `bench download` did not write.
    """
    folders = []
    suffixes = {"images": IMAGE_SUFFIXES, "masks": MASK_SUFFIXES}
    for record in sorted((n for n in tree.names if f"/{n}".endswith("/source.json")), key=len):
        root = record.removesuffix("source.json")
        members = {
            n.removeprefix(root): n
            for n in tree.names
            if n.startswith(root)
            and len(parts := n.removeprefix(root).split("/")) == 2
            and PurePosixPath(parts[1]).suffix.lower() in suffixes.get(parts[0], ())
        }
        if not members:
            continue
        folder_name = PurePosixPath(root).name or path.resolve().name
        content = files.loads(tree.read(record).decode(errors="replace"), record)
        if isinstance(content, dict) and isinstance(content.get("source"), str):
            folders.append(_Written(folder_name, content["source"], members))
        elif folder_name == name:
            raise UserError(
                f"{record} was not written by `bench download`: its key 'source' is missing. Use other files."
            )
    return folders


def _own_layout(name: str, prefix: str, written: Sequence[_Written]) -> tuple[str, dict[str, str]]:
    """Return source and files of the folder with the dataset's name, else of one whose files all have its prefix."""
    named = [folder for folder in written if folder.name == name]
    prefixed = [f for f in written if all(PurePosixPath(target).name.startswith(prefix) for target in f.members)]
    for folder in [*named, *prefixed]:
        return folder.source, folder.members
    return "", {}


def _write(folder: Path, target: str, content: bytes) -> None:
    """Write a file below ``folder``; raise a UserError if the name points outside."""
    path = folder / target
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{target!r} points outside the folder: refused.")
    path.write_bytes(content)


def content_hash(folder: Path) -> tuple[str, int, int]:
    """Return the hash of all images and masks below ``folder``, their number and their total bytes."""
    hasher = hashlib.sha256()
    paths = sorted(p for part in ("images", "masks") for p in (folder / part).glob("*") if p.is_file())
    for path in paths:
        hasher.update(f"{path.relative_to(folder).as_posix()} {files.sha256(path)}\n".encode())
    return hasher.hexdigest(), len(paths), sum(p.stat().st_size for p in paths)
