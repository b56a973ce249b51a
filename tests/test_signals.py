"""Signals that ask a process to stop are recorded, and the handlers restored."""

import os
import signal

import pytest

from bench import signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_recorded_and_ends_nothing(number: signal.Signals) -> None:
    with signals.deferred() as received:
        assert received == []
        os.kill(os.getpid(), number)
        assert received == [number]


def test_the_handlers_are_restored_after_an_error_too() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(ValueError, match="stop"), signals.deferred():
        raise ValueError("stop")
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def interrupt(times: int, second_ends: bool) -> int:
    """Return how many signals were recorded."""
    with signals.deferred(second_ends) as received:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        return len(received)


def test_a_second_ctrl_c_ends_the_process_only_where_asked() -> None:
    assert interrupt(2, second_ends=False) == 2
    assert interrupt(1, second_ends=True) == 1
    with pytest.raises(KeyboardInterrupt):
        interrupt(2, second_ends=True)


def interrupt_postponed(events: list[int]) -> None:
    with signals.postponed():
        os.kill(os.getpid(), signal.SIGINT)
        events.append(0)


def test_a_postponed_signal_is_delivered_after_the_block_and_once() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: received.append(number))
    try:
        with signals.postponed():
            os.kill(os.getpid(), signal.SIGUSR2)
            os.kill(os.getpid(), signal.SIGUSR2)
            assert received == []
        assert received == [signal.SIGUSR2]
        with pytest.raises(KeyboardInterrupt):
            interrupt_postponed(received)
        assert received[1:] == [0]
    finally:
        signal.signal(signal.SIGUSR2, before)
