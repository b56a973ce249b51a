"""Write a file whole: temporary name, flush, rename; an error names the file, and leftovers of killed runs go."""

import errno
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from bench.errors import UserError, os_error_line

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".crackbench"
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}\.crackbench")
_LONGEST_PREFIX = 50
"""Characters of the file's name in the temporary one: at most 4 bytes each, of the 255 that a name may have."""


@contextmanager
def atomic_write(path: Path, size: int | None = None) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; flush and rename it on success, remove it on failure.

    The temporary file is locked while it is written, so that a later run can tell a leftover from a file in use.

    Args:
        path: the file to write.
        size: its size, bytes, if known; named where the disk is full.

    Raises:
        UserError: the file cannot be written; names it, and on a full disk the space that is needed and free.
    """
    temporary, lock, written = None, None, 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent.resolve())
        temporary, lock = _create(path)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            written = temporary.stat().st_size if temporary.exists() else 0
            temporary.unlink(missing_ok=True)
            if lock is not None:
                os.close(lock)
    except OSError as error:
        if temporary and error.filename not in (None, str(temporary)):
            raise  # of another file, which was read meanwhile
        raise UserError(os_error_line(error, path, size, written)) from error


def reserve(file: BinaryIO, size: int) -> None:
    """Reserve the space of a file before it is written, so that a full disk is an error at once.

    Raises:
        OSError: the disk is too small.
    """
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # a file system that cannot reserve
                raise OSError(error.errno, error.strerror, file.name) from None


def _create(path: Path) -> tuple[Path, int | None]:
    """Return a new temporary file and its open handle, which holds the lock (None where there are no locks)."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:_LONGEST_PREFIX]}.", suffix=_SUFFIX, dir=path.parent)
        temporary = Path(name)
        if sys.platform == "win32":  # an open file cannot be renamed there
            os.close(handle)
            return temporary, None
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if temporary.exists():  # else another process took it for a leftover before it was locked
            return temporary, handle
        os.close(handle)


@cache
def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed processes from a folder, once per process."""
    if sys.platform == "win32":
        return
    for path in folder.iterdir():
        if not _TEMPORARY.fullmatch(path.name) or not path.is_file() or path.is_symlink():
            continue
        with suppress(OSError), path.open("rb+") as file:  # locked by its writer, or of another user
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _umask() -> int:
    """Return the umask of this process, to be applied here because mkstemp creates private files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
