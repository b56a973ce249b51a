"""Whether a cell's output is whole: the only proof that the cell is done."""

from pathlib import Path

from bench.errors import UserError
from bench.formats import files


def digest(target: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's checksums after comparing all its files with them.

    Raises:
        UserError: the output is missing or unfinished, or a file of it is missing or damaged.
    """
    if target.is_file():
        return files.sha256(target)
    sums = target / files.SUMS
    if not sums.is_file() or not sums.stat().st_size:
        what = "is unfinished (it has no checksums)" if target.is_dir() else "was not written"
        raise UserError(f"{target} {what}")
    names = [line.partition("  ")[2] for line in sums.read_text(encoding="utf-8", errors="replace").splitlines()]
    for name in names:
        if not (target / name).is_file():
            raise UserError(f"{target / name} is missing")
    files.verify(target, names)
    return files.sha256(sums)


def matches(target: Path, expected: str) -> bool:
    """Return whether an output is whole and the one with this digest."""
    try:
        return bool(expected) and digest(target) == expected
    except (UserError, OSError):
        return False
