"""Exceptions whose message is meant for the user, and how it names many things."""

from collections.abc import Sequence


class UserError(Exception):
    """Bad input: the message names the file, the value and the cure. The command line prints it and exits with 1."""


class Interrupted(BaseException):
    """A signal ended the work in order, nothing is lost; the command line exits with 128 plus its number."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def shorten(names: Sequence[str], most: int = 5) -> str:
    """Return the first names and how many more there are.

    >>> shorten(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
