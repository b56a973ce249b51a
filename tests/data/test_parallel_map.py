"""Work spread over processes gives what a loop gives, in order, and leaves the environment alone."""

import math
import os

import pytest

from bench import machine
from bench.data.parallel_map import FEW, parallel_map


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def test_few_items_are_done_in_this_process_in_order() -> None:
    assert parallel_map(lambda number: -number, range(5), "negate") == [0, -1, -2, -3, -4]  # a lambda cannot be sent
    assert parallel_map(math.sqrt, [], "nothing") == []
    assert FEW > 5


def test_processes_give_the_same_in_order_with_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    before = dict(os.environ)
    assert parallel_map(math.isqrt, range(100), "root", few=2) == [math.isqrt(n) for n in range(100)]
    assert set(parallel_map(os.getenv, ["OMP_NUM_THREADS"] * 4, "threads", few=2)) == {"1"}
    assert dict(os.environ) == before


def test_an_error_of_one_item_is_raised() -> None:
    with pytest.raises(ValueError, match="three"):
        parallel_map(fail_at_three, range(5), "fail")
