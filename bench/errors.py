"""Exceptions with messages for the user, and helpers to write such messages."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


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
