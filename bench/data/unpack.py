"""Read a zip, tar or folder as names and bytes; archives are untrusted: members are validated before any is read."""

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.errors import UserError

MAX_MEMBERS = 200_000
"""Most members of an archive; the merged collection has 45,192."""
MAX_MEMBER_BYTES = 64 * 2**20
"""Most bytes of an unpacked image; those of the ten datasets are far smaller, so a larger one is a bomb or no image."""
MAX_TOTAL_BYTES = 64 * 2**30
MAX_RATIO = 200
"""Most bytes unpacked per byte packed, over the whole archive; images hardly compress, Deflate can reach 1032."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    OSError,
    EOFError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class Tree:
    """The files of an archive or a folder: their names, with ``/``, and a function that reads one of them."""

    names: list[str]
    read: Callable[[str], bytes]


@contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """Yield the files in ``path``; nothing is written to disk.

    Raises:
        UserError: the path is not an archive or folder, or the archive is damaged or refused; the message names the
            member.
    """
    if path.is_dir():
        yield _folder(path)
        return
    if not path.is_file():
        raise UserError(f"{path} does not exist: give an archive (.zip, .tar, .tar.gz) or a folder.")
    with ExitStack() as stack:
        try:
            if zipfile.is_zipfile(path):
                tree = _zip(path, stack.enter_context(zipfile.ZipFile(path)))
            elif tarfile.is_tarfile(path):
                tree = _tar(path, stack.enter_context(tarfile.open(path)))
            else:
                raise UserError(f"{path} is not a zip, tar or folder: unpack it yourself and give the folder.")
        except _BROKEN as error:
            raise UserError(f"{path} is damaged ({error}): download it again.") from None
        yield tree


def _folder(path: Path) -> Tree:
    names = (p.relative_to(path).as_posix() for p in sorted(path.rglob("*")) if p.is_file())
    kept = [name for name in names if not _is_hidden(name)]
    return Tree(kept, lambda name: (path / name).read_bytes())


def _is_hidden(name: str) -> bool:
    """Return whether a file is hidden, or a shadow that macOS adds to archives."""
    return PurePosixPath(name).name.startswith(".") or "__MACOSX" in name.split("/")


def _zip(path: Path, archive: zipfile.ZipFile) -> Tree:
    members = archive.infolist()
    for info in members:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind and kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{path}: {info.filename!r} is a link or a device: archive refused.")
        if info.flag_bits & 1:
            raise UserError(f"{path}: {info.filename!r} is encrypted: archive refused.")
    _validate(path, ((info.orig_filename.rstrip("/"), info.file_size) for info in members))

    return Tree(_shown(info.filename for info in members if not info.is_dir()), _reader(path, archive.read))


def _tar(path: Path, archive: tarfile.TarFile) -> Tree:
    members: dict[str, tarfile.TarInfo] = {}

    def listed() -> Iterator[tuple[str, int]]:
        for info in archive:
            if not (info.isfile() or info.isdir()):
                raise UserError(f"{path}: {info.name!r} is a link or a device: archive refused.")
            members[name := info.name.removeprefix("./")] = info
            yield name, info.size

    _validate(path, listed())

    def read(name: str) -> bytes:
        file = archive.extractfile(members[name])
        return file.read() if file else b""

    return Tree(_shown(name for name, info in members.items() if info.isfile()), _reader(path, read))


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _is_hidden(name)]


def _reader(path: Path, read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Return ``read`` wrapped so that its error names the damaged member."""

    def checked(name: str) -> bytes:
        try:
            return read(name)
        except _BROKEN as error:
            raise UserError(f"{path}: {name!r} is damaged ({error}): download the archive again.") from None

    return checked


def _validate(path: Path, members: Iterable[tuple[str, int]]) -> None:
    """Refuse an archive by the declared names and sizes of its members, checked one by one.

    Listing a compressed tar unpacks the members on the way, so each is checked before the next is listed.

    Raises:
        UserError: names the member.
    """
    seen: set[str] = set()
    total, packed = 0, path.stat().st_size
    for name, size in members:
        shown = f"{path}: {name[:200]!r}"
        if len(seen) == MAX_MEMBERS:
            raise UserError(f"{path} holds more than {MAX_MEMBERS} members: archive refused.")
        if _CONTROL.search(name):
            raise UserError(f"{shown} has control characters in its name: archive refused.")
        if not name or name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise UserError(f"{shown} points outside the folder: archive refused.")
        if size > MAX_MEMBER_BYTES and name.lower().endswith(
            (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".mat")
        ):
            raise UserError(f"{shown} would unpack to {size} bytes: not an image, archive refused.")
        if name in seen:
            raise UserError(f"{shown} occurs twice: archive refused.")
        seen.add(name)
        total += size
        if total > MAX_TOTAL_BYTES or (total > 2**27 and total > MAX_RATIO * packed):
            raise UserError(
                f"{path} would unpack to {total} bytes or more from {packed}: a decompression bomb, archive refused."
            )
