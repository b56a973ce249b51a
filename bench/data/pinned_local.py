"""Find files of pinned commits in a folder or archive, at any depth: by their name, and verified by their checksum."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from bench import plugins
from bench.data.pinned import PinnedFile, pinned_files, pinned_origin
from bench.data.sources import NotHeldError, Origin
from bench.data.unpack import open_tree
from bench.errors import UserError, shorten

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


class LocalFiles:
    """The files in a folder, including those in its archives, or in one archive.

    Attributes:
        path: the folder or archive.
        refused: one line for each archive in the folder that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused: list[str] = []
        self._members: dict[str, list[tuple[Path, str]]] = {}
        """Name of a file, without folders -> (folder or archive, path inside)."""
        self._sha256: dict[tuple[Path, str], str] = {}
        self._add(path)
        if path.is_dir():
            for archive in sorted(p for p in path.rglob("*") if p.name.lower().endswith(_ARCHIVES) and p.is_file()):
                try:
                    self._add(archive)
                except UserError as error:
                    self.refused.append(str(error))

    def _add(self, container: Path) -> None:
        with open_tree(container) as tree:
            for member in tree.names:
                self._members.setdefault(PurePosixPath(member).name, []).append((container, member))

    def find(self, wanted: Iterable[PinnedFile]) -> dict[str, tuple[Path, str]]:
        """Return {SHA-256: (folder or archive, path inside)} of those of the files that are here."""
        wanted = list(wanted)
        names = {PurePosixPath(file.path).name for file in wanted}
        self._hash([place for name in sorted(names) for place in self._members.get(name, [])])
        checksums = {file.sha256 for file in wanted}
        return {sha256: place for place, sha256 in self._sha256.items() if sha256 in checksums}

    def _hash(self, places: Iterable[tuple[Path, str]]) -> None:
        """Compute the checksums of files; each archive is opened once."""
        by_container: dict[Path, list[str]] = {}
        for container, member in places:
            if (container, member) not in self._sha256:
                by_container.setdefault(container, []).append(member)
        for container, members in by_container.items():
            with open_tree(container) as tree:
                for member in members:
                    self._sha256[container, member] = hashlib.sha256(tree.read(member)).hexdigest()

    def read_all(self, places: dict[str, tuple[Path, str]]) -> dict[str, bytes]:
        """Return {SHA-256: content} of files that ``find`` returned.

        Raises:
            UserError: a file changed since.
        """
        contents: dict[str, bytes] = {}
        for container in dict.fromkeys(container for container, _ in places.values()):
            with open_tree(container) as tree:
                for sha256, (other, member) in places.items():
                    if other == container:
                        contents[sha256] = tree.read(member)
                        if hashlib.sha256(contents[sha256]).hexdigest() != sha256:
                            raise UserError(f"{container}: {member!r} changed while it was read: run it again.")
        return contents

    def missing(self, wanted: Iterable[PinnedFile]) -> list[str]:
        """Return the paths of those of the files that are not here; of one with other content, that it differs."""
        wanted = list(wanted)
        present = self.find(wanted)
        lines = []
        for file in wanted:
            if file.sha256 not in present:
                same_path = any(
                    f"/{member}".endswith(f"/{file.path}")
                    for _, member in self._members.get(PurePosixPath(file.path).name, [])
                )
                lines.append(f"{file.path} has other content" if same_path else file.path)
        return lines


def pinned_from_path(name: str, local: LocalFiles) -> Origin:
    """Return the origin of a dataset whose pinned files are in a folder or archive; report how many there are.

    Raises:
        NotHeldError: some or all of them are missing.
    """
    wanted = pinned_files(name)
    missing = local.missing(wanted)
    count = len(wanted) - len(missing)
    tqdm.write(f"{name}: {count} of {len(wanted)} files in {local.path}", file=sys.stderr)
    if missing:
        message = f"{local.path} holds {count} of the {len(wanted)} files of {name!r} (lacking: {shorten(missing, 3)})"
        hint = f"add the rest from {plugins.load('datasets', name).PINNED.page}, or drop the dataset"
        refused = f" Not readable: {shorten(local.refused, 1)}" if local.refused else ""
        raise NotHeldError(f"{message}: {hint}.{refused}")
    contents: dict[str, bytes] = {}

    def fill(folder: Path) -> None:
        contents.update(local.read_all(local.find(wanted)))
        pinned_origin(name, lambda file: contents[file.sha256]).fill(folder)
        contents.clear()

    return Origin(pinned_origin(name, lambda file: contents[file.sha256]).facts, fill)
