"""Read the progress of a running cell from the end of its log, which works across hosts and engines."""

import re
from dataclasses import dataclass
from pathlib import Path

BAR_FORMAT = "{desc}: {n_fmt}/{total_fmt} {unit}s, {rate_noinv_fmt}, {remaining} left{postfix}"
"""Format of tqdm's line in a cell's log, set through its environment variable; ``read`` parses it."""

_BAR = re.compile(r".*: +\d+/\d+ \S+, .* left.*")

_LINE = re.compile(r"train: (\d+)/(\d+) images, +(\S+?) ?image/s, (\S+) left(?:, (.*))?")


@dataclass(frozen=True)
class Progress:
    """Progress of a training; empty strings where nothing is known yet."""

    share: float = 0.0
    epoch: str = ""
    iou: str = ""
    images_per_s: str = ""
    left: str = ""


def read(log: Path) -> Progress:
    """Return the last progress in a log."""
    for line in reversed(tail(log, bytes_read=8192)):
        if match := _LINE.search(line):
            done, total, rate, left, rest = match.groups()
            facts = dict(part.split("=", 1) for part in (rest or "").split(", ") if "=" in part)
            return Progress(int(done) / max(int(total), 1), facts.get("epoch", ""), facts.get("IoU", ""), rate, left)
    return Progress()


def tail(path: Path, lines: int = 15, bytes_read: int = 4096) -> list[str]:
    """Return the last lines of a log: the last state of a progress bar, and no lines of only ^^^."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - bytes_read))
            text = file.read().decode(errors="replace")
    except OSError:  # missing, or something else in its place
        return []
    shown = (line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n"))
    return [line for line in shown if line.strip("^~")][-lines:]


def is_bar(line: str) -> bool:
    """Return whether a line is a state of a progress bar, which explains nothing."""
    return _BAR.fullmatch(line) is not None
