"""What the tests of training share: one thread, and a network small enough to be trained in a second."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Run small networks on one thread, and leave torch's global settings as they were."""
    import torch

    threads, benchmark = torch.get_num_threads(), torch.backends.cudnn.benchmark
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = benchmark


@pytest.fixture
def tiny_model(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a network of two convolutions, without batch normalisation, in place of a real one."""
    from torch import nn

    from bench import plugins

    def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(channels, 8, 5, padding=2), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(8, classes, 3, padding=1)
        )

    load = plugins.load
    plugin: Any = SimpleNamespace(NAME="Tiny", build=build, __file__=__file__)
    monkeypatch.setattr(plugins, "load", lambda kind, name: plugin if name == "tiny" else load(kind, name))
    return "tiny"
