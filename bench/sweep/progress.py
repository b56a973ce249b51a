"""How far a running cell is, read from the last lines of its log: works across hosts and engines."""

import re
from dataclasses import dataclass
from pathlib import Path

from bench.sweep import ledger

BAR_FORMAT = "{desc}: {n_fmt}/{total_fmt} {unit}s, {rate_noinv_fmt}, {remaining} left{postfix}"
"""What tqdm is told, through its environment variable, to print in a cell's log: for people, and for ``read``."""

_LINE = re.compile(r"train: (\d+)/(\d+) images, +(\S+?) ?image/s, (\S+) left(?:, (.*))?")


@dataclass(frozen=True)
class Progress:
    """Where a training is; empty strings while nothing is known."""

    share: float = 0.0
    epoch: str = ""
    iou: str = ""
    images_per_s: str = ""
    left: str = ""


def read(log: Path) -> Progress:
    """Return the progress that a log tells last."""
    for line in reversed(ledger.tail(log, bytes_read=8192)):
        if found := _LINE.search(line):
            done, total, rate, left, rest = found.groups()
            facts = dict(part.split("=", 1) for part in (rest or "").split(", ") if "=" in part)
            return Progress(int(done) / max(int(total), 1), facts.get("epoch", ""), facts.get("IoU", ""), rate, left)
    return Progress()
