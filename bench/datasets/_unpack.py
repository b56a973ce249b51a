"""Read a zip, a tar or a folder as a list of names and their bytes; an archive is hostile until its list is checked."""

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError

MAX_MEMBERS = 200_000
"""The merged collection has 45,192."""
MAX_MEMBER_BYTES = 64 * 2**20
"""No image of the ten datasets comes near; a larger member is a decompression bomb or no image."""
MAX_TOTAL_BYTES = 64 * 2**30
MAX_RATIO = 200
"""Bytes unpacked per byte packed, over the whole archive; images hardly shrink, Deflate alone reaches 1032."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class Tree:
    """The files of an archive or a folder: their names, with ``/``, and what reads one of them."""

    names: list[str]
    read: Callable[[str], bytes]


@contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """Yield the files in ``path``; nothing is written anywhere.

    Raises:
        UserError: no archive or folder, damaged, or refused; the message names the member.
    """
    if path.is_dir():
        yield _folder(path)
        return
    if not path.is_file():
        raise UserError(f"{path} does not exist: name an archive (.zip, .tar, .tar.gz) or a folder.")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _zip(path, archive)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                yield _tar(path, tar)
        else:
            raise UserError(f"{path} is no zip, tar or folder: unpack it yourself and name the folder.")
    except _BROKEN as error:
        raise UserError(f"{path} is damaged ({error}): download it again.") from None


def _folder(path: Path) -> Tree:
    paths = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    return Tree([p.relative_to(path).as_posix() for p in paths], lambda name: (path / name).read_bytes())


def _zip(path: Path, archive: zipfile.ZipFile) -> Tree:
    members = archive.infolist()
    for info in members:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind and kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{path}: {info.filename!r} is a link or a device: archive refused.")
        if info.flag_bits & 1:
            raise UserError(f"{path}: {info.filename!r} is encrypted: archive refused.")
    _refuse(path, ((info.orig_filename.rstrip("/"), info.file_size) for info in members))

    def read(name: str) -> bytes:
        try:
            return archive.read(name)
        except _BROKEN as error:
            raise UserError(f"{path}: {name!r} is damaged ({error}): download the archive again.") from None

    return Tree([info.filename for info in members if not info.is_dir()], read)


def _tar(path: Path, archive: tarfile.TarFile) -> Tree:
    members = {}
    for count, info in enumerate(archive, 1):  # one by one: a bomb is refused before it is read to its end
        if count > MAX_MEMBERS:
            raise UserError(f"{path} holds more than {MAX_MEMBERS} members: archive refused.")
        if not (info.isfile() or info.isdir()):
            raise UserError(f"{path}: {info.name!r} is a link or a device: archive refused.")
        if info.name.removeprefix("./") in members:
            raise UserError(f"{path}: {info.name!r} stands twice: archive refused.")
        members[info.name.removeprefix("./")] = info
    _refuse(path, ((name, info.size) for name, info in members.items()))

    def read(name: str) -> bytes:
        file = archive.extractfile(members[name])
        return file.read() if file else b""

    return Tree([name for name, info in members.items() if info.isfile()], read)


def _refuse(path: Path, members: Iterable[tuple[str, int]]) -> None:
    """Refuse an archive by the names and sizes that it declares.

    Raises:
        UserError: names the member.
    """
    members = list(members)
    if len(members) > MAX_MEMBERS:
        raise UserError(f"{path} holds {len(members)} members, more than {MAX_MEMBERS}: archive refused.")
    for name, size in members:
        shown = f"{path}: {name[:200]!r}"
        if _CONTROL.search(name):
            raise UserError(f"{shown} has control characters in its name: archive refused.")
        if not name or name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise UserError(f"{shown} points outside the folder: archive refused.")
        if size > MAX_MEMBER_BYTES and name.lower().endswith(
            (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".mat")
        ):
            raise UserError(f"{shown} would unpack to {size} bytes: not an image, archive refused.")
    twice = [name for name, count in Counter(name for name, _ in members).items() if count > 1]
    if twice:
        raise UserError(f"{path}: {twice[0]!r} stands twice ({len(twice)} such names): archive refused.")
    total = sum(size for _, size in members)
    if total > MAX_TOTAL_BYTES or (total > 2**27 and total > MAX_RATIO * path.stat().st_size):
        raise UserError(f"{path} would unpack to {total} bytes from {path.stat().st_size}: a bomb, archive refused.")
