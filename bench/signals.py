"""Signals that ask for an end in order: noted, and obeyed at the next good moment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noted(second_ends: bool = False) -> Iterator[list[signal.Signals]]:
    """Yield a list that takes SIGTERM and SIGINT; if ``second_ends``, a second SIGINT ends the process at once."""
    asked: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        if second_ends and asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(signal.Signals(number))

    old = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
