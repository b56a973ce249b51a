"""Measure: multiply-adds worked out by hand, latencies ranked as defined, a record that the report can read."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench import plugins
from bench.errors import UserError
from bench.formats import cost
from bench.stages import measure
from bench.stages.measure import MeasureSettings, multiply_adds, run

SETTINGS = MeasureSettings(encoder="resnet18", image_size=64, warmup=1, repeats=4, device="cpu")


def test_multiply_adds_of_a_convolution_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
    assert multiply_adds(network, torch.zeros(1, 3, 16, 20)) == 3 * 8 * 9 * 16 * 20 + 8 * 2 * 16 * 20


def test_multiply_adds_of_attention_by_hand() -> None:
    """Also of the fused kind: two products of 16 x 16 positions and 4 channels, in each of 2 heads."""

    class Attention(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            x = image.reshape(1, 2, 16, 4)
            return nn.functional.scaled_dot_product_attention(x, x, x)

    assert multiply_adds(Attention(), torch.zeros(1, 1, 8, 16)) == 2 * 2 * 16 * 16 * 4


def test_counting_leaves_the_network_as_it_is() -> None:
    network, image = nn.Conv2d(3, 2, 1), torch.ones(1, 3, 4, 4)
    before = network(image)
    multiply_adds(network, image)
    assert torch.equal(network(image), before)


@pytest.mark.parametrize(
    ("model", "gmacs"),
    [("unet", 32.6897), ("pspnet", 8.9996), ("deeplabv3plus", 28.12), ("context_cracknet", 104.4698)],
)
def test_the_counters_agree(model: str, gmacs: float) -> None:
    """Compared with fvcore, ResNet50 at 448 px, which also counts normalisation and resizing: up to 1 % more."""
    network = plugins.build_network(model, 3, 1, 448, "resnet50", None).eval()
    found = multiply_adds(network, torch.zeros(1, 3, 448, 448)) / 1e9
    assert 0.99 * gmacs < found < gmacs


def test_a_record_by_hand(tmp_path: Path, tiny_model: str) -> None:
    run(tmp_path / "cost" / "tiny.json", tiny_model, SETTINGS)
    record = cost.read(tmp_path / "cost" / "tiny.json")
    macs = (3 * 8 * 25 + 8 * 9) * 64 * 64
    assert record["parameters"] == 3 * 8 * 25 + 8 + 8 * 9 + 1
    assert record["gmacs"] == round(macs / 1e9, 4)
    assert record["gflops"] == round(2 * macs / 1e9, 4)
    assert (record["model"], record["model_name"], record["encoder"]) == ("tiny", "Tiny", "resnet18")
    assert (record["image_size"], record["repeats"], record["threads"]) == (64, 4, 1)
    assert 0 < record["latency_ms_p50"] <= record["latency_ms_p95"]
    assert record["images_per_s"] == pytest.approx(1000 / record["latency_ms_p50"], rel=0.01)
    assert record["device"].strip()
    assert record["peak_memory_mb"] > 50
    assert (record["counter"], record["anchor"]) == ("torch.utils.flop_counter", "ResNet-18")
    assert record["relative_latency"] == pytest.approx(
        2 * record["latency_ms_p50"] / (record["anchor_ms_before"] + record["anchor_ms_after"])
    )


def test_an_encoder_that_a_model_cannot_take_is_refused(tmp_path: Path) -> None:
    settings = replace(SETTINGS, encoder="mit_b0")
    with pytest.raises(UserError, match="model 'context_cracknet' cannot be built with mit_b0 at 64 px: "):
        run(tmp_path / "cost.json", "context_cracknet", settings)


def test_a_real_network_s_numbers_repeat(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tmp_path / name, "unet", SETTINGS)
    a, b = (cost.read(tmp_path / name) for name in ("a", "b"))
    counts = ("parameters", "gmacs", "gflops")
    assert [a[key] for key in counts] == [b[key] for key in counts]
    assert a["parameters"] == 14_328_209  # U-Net on ResNet18, as the library's own documentation counts it


def test_only_passes_after_the_warm_up_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    network = nn.Conv2d(3, 1, 1)
    network.register_forward_hook(lambda *_: calls.append(1))
    found = measure._latencies_ms(network, torch.zeros(1, 3, 8, 8), SETTINGS, "tiny")
    assert len(found) == 4
    assert len(calls) == 5
    assert min(found) > 0


def test_latencies_are_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(i) for i in range(100))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))  # each look at the clock takes a second
    assert measure._latencies_ms(nn.Conv2d(3, 1, 1), torch.zeros(1, 3, 8, 8), SETTINGS, "tiny") == [1000.0] * 4


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_the_nearest_rank(values: list[float], percent: int) -> None:
    ordered = sorted(values)
    found = measure._percentile(ordered, percent)
    assert found == ordered[math.ceil(percent / 100 * len(values) - 1e-9) - 1]
    assert found == np.percentile(ordered, percent, method="inverted_cdf")


def test_evaluation_mode_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: str) -> None:
    modes = []
    real: Callable[..., Any] = measure._latencies_ms

    def look(network: nn.Module, *rest: Any) -> Any:
        modes.append(network.training)
        return real(network, *rest)

    monkeypatch.setattr(measure, "_latencies_ms", look)
    run(tmp_path / "cost.json", tiny_model, SETTINGS)
    assert modes == [False, False, False]  # the anchor, the network, the anchor
