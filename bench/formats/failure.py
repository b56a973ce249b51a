"""The failure of a training: ``runs/<dataset>/<model>/.<seed>.failed.json`` says why, until the training succeeds."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import UserError
from bench.formats import files

KINDS: dict[str, files.Kind] = {"why": str}
"""Required key -> type. why: the error, in one line."""


@contextmanager
def recorded_failure(run: Path) -> Iterator[None]:
    """Record the error that ends the training of a run; an interruption is none, and a success clears the record."""
    try:
        yield
    except Exception as error:
        with suppress(OSError, UserError):  # such as a full disk, which the error tells already
            write(run, str(error) or type(error).__name__)
        raise
    clear(run)


def write(run: Path, why: str) -> None:
    """Record that the training of a run failed."""
    files.write_json(_path(run), {"why": " ".join(why.split())})


def clear(run: Path) -> None:
    """Delete the record of a failure."""
    _path(run).unlink(missing_ok=True)


def read(run: Path) -> str | None:
    """Return why the training of a run failed; None if no failure is recorded.

    Raises:
        UserError: the record is damaged.
    """
    if not _path(run).is_file():
        return None
    return str(files.read_object(_path(run), KINDS, "delete it, or train the cell again")["why"])


def _path(run: Path) -> Path:
    return run.with_name(f".{run.name}.failed.json")
