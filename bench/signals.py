"""Graceful shutdown: record SIGINT and SIGTERM, stop at the next safe point."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def deferred(abort_on_second: bool = False) -> Iterator[list[signal.Signals]]:
    """Yield a list to which each received SIGTERM or SIGINT is appended; the caller decides when to stop.

    Args:
        abort_on_second: raise KeyboardInterrupt at once on a SIGINT that follows another signal.
    """
    received: list[signal.Signals] = []

    def record(number: int, frame: FrameType | None) -> None:
        if abort_on_second and received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(signal.Signals(number))

    previous = {number: signal.signal(number, record) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
