"""Signals that ask a training to stop: noted, and obeyed after the step."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench.errors import Interrupted


@contextmanager
def signals() -> Iterator[list[signal.Signals]]:
    """Yield a list that SIGTERM and the first SIGINT are put into; a second SIGINT ends the process at once."""
    asked: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(signal.Signals(number))

    old = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def interrupted(asked: list[signal.Signals], checkpoints: Path) -> Interrupted:
    """Return the error that says which signal ended a training, and where it goes on from."""
    return Interrupted(f"stopped by {asked[0].name}: the next run goes on from {checkpoints}", asked[0])
