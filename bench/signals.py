"""Graceful shutdown: record signals, and stop or deliver them at the next safe point."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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


@contextmanager
def postponed() -> Iterator[None]:
    """Deliver the signals that ask a process to stop or, as Slurm does before a time limit, to save, after the block.

    For what must not be cut in two, such as a file that a library does not write atomically.
    """
    names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    received: dict[int, None] = {}
    previous = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) not in (None, signal.SIG_IGN)}
    try:
        for number in previous:
            signal.signal(number, lambda got, frame: received.setdefault(got))
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        with ExitStack() as delivered:  # all of them, though a handler raises
            for number in reversed(received):
                delivered.callback(signal.raise_signal, number)
