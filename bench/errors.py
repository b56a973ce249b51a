"""Exceptions with messages for the user, and helpers to write such messages."""

import errno
import shutil
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path


class UserError(Exception):
    """Bad input: the message names the file, the value and what to do; the command line prints it and exits with 1."""


class Interrupted(BaseException):
    """Stopped by a signal after saving state; the command line exits with 128 plus the signal's number."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def shorten(names: Sequence[str], most: int = 5) -> str:
    """Return the first names and the number of the others.

    >>> shorten(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def shown(text: str, most: int = 80) -> str:
    r"""Return a text of the user for a message: one line without control characters, and not too long.

    >>> shown("unet"), shown("abc", 2)
    ('unet', 'ab... (3 characters)')
    >>> print(shown("a" + chr(10) + "b"))
    a\nb
    """
    printable = text if text.isprintable() else text.encode("unicode_escape").decode()
    return printable if len(printable) <= most else f"{printable[:most]}... ({len(text)} characters)"


def instead_of(name: str, valid: Iterable[str], kind: str = "names") -> str:
    """Return the end of a message about an invalid name: the closest valid name and the list of all.

    >>> instead_of("unett", ["fpn", "unet"])
    "; did you mean 'unet'? Valid names: fpn, unet."
    >>> instead_of("x", [])
    '. Valid names: none.'
    """
    names = list(valid)
    close = get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    return f"{hint} Valid {kind}: {', '.join(names) or 'none'}."


def os_error_line(error: OSError, path: Path | None = None, needed: int | None = None, written: int = 0) -> str:
    """Return what the user should read about an error of the operating system.

    Args:
        error: the error.
        path: the file; else the one that the error names.
        needed: size of the file, bytes, if known.
        written: bytes of it that were written before a disk was full.

    >>> os_error_line(OSError(errno.EISDIR, "Is a directory", "runs"))
    'runs: Is a directory. Correct this and run the same command again.'
    """
    name = str(path or error.filename or "a file")
    shown = name if len(name) <= 255 else f"{name[:100]}... ({len(name)} characters)"
    reason = f"{shown}: {error.strerror or str(error) or type(error).__name__}"
    if error.errno == errno.EFBIG:
        return f"{reason}: raise the limit (`ulimit -f`), then run the same command again."
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return f"{reason}. Correct this and run the same command again."
    if not (path or error.filename):
        return f"{reason}. Free space and run the same command again."
    folder = next((p for p in Path(name).absolute().parents if p.is_dir()), Path())
    free = _size(shutil.disk_usage(folder).free)
    needs = _size(needed) if needed else f"more than {_size(written)}" if written else ""
    space = f"it needs {needs}, {free} are free" if needs else f"it needs more than the {free} that are free"
    return f"{reason}: {space}. Free space and run the same command again."


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count} bytes"
