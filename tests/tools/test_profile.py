"""Profiling a training: the speeds of its parts, and what is said to limit it."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.formats import prepared
from bench.tools import profile

Make = Callable[..., Any]


def test_the_three_speeds_are_measured(make_prepared: Make, train_settings: Make, tiny_model: str) -> None:
    data = prepared.read(make_prepared((6, 0, 2), size=32))
    found = profile.throughput(data, tiny_model, train_settings(), seconds=0.05)
    assert list(found) == ["loader", "step", "together"]
    assert all(rate > 0 for rate in found.values())


@pytest.mark.parametrize(
    ("loader", "augment_on", "expected"),
    [
        (200.0, "workers", "The network limits the training, the loader keeps up: 90 % of the bare step's speed."),
        (100.0, "workers", "or train.augment_on: device."),
        (100.0, "device", "train.augment_on: workers may be faster on a machine with many cores."),
    ],
)
def test_the_verdict(loader: float, augment_on: str, expected: str, train_settings: Make) -> None:
    found = {"loader": loader, "step": 100.0, "together": 90.0}
    assert profile.verdict(found, train_settings(augment_on=augment_on)).endswith(expected)
