"""Memory of a training step: a network worked out by hand, real ones compared with what a step takes on this CPU."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.errors import UserError
from bench.tools import memory
from bench.tools.memory import Footprint, footprint

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
Make = Callable[..., Any]
GIB = 2**30


def test_weights_gradients_moments_and_the_best_weights_are_kept(tiny_model: str, train_settings: Make) -> None:
    found = footprint(tiny_model, 64, train_settings(batch=4), False)
    weights = 3 * 8 * 25 + 8 + 8 * 9 + 1
    assert found.kept == pytest.approx(5 * 4 * weights, abs=200)  # and four counters of the optimiser, and the sums


def test_the_peak_of_a_step_by_hand(tiny_model: str, train_settings: Make) -> None:
    """Of what is as large as the image, a step of this network keeps images, 8 features, and their gradients."""
    found = footprint(tiny_model, 256, train_settings(batch=8), False)
    per_image = 256 * 256 * 4
    growth = (found.largest - found.smallest) / 6 / per_image
    assert 8 + 8 + 1 < growth < 30
    assert found.predicted / per_image == pytest.approx(8 + 8 + 3, abs=4)  # of the validation: no gradients


def test_sixteen_bit_takes_less_and_more_images_take_more(train_settings: Make) -> None:
    settings = train_settings(encoder="resnet18", batch=8)
    full, mixed = (footprint("unet", 64, settings, is_mixed) for is_mixed in (False, True))
    assert mixed.largest < full.largest
    assert full.smallest < full.largest
    assert full.kept == pytest.approx(5 * 4 * 14_328_209, rel=0.01)  # U-Net on ResNet18
    assert full.kept == mixed.kept


def test_a_step_between_two_that_were_followed_is_not_underestimated(train_settings: Make) -> None:
    settings = train_settings(encoder="resnet18", batch=8)
    found = replace(footprint("unet", 64, settings, False), predicted=0)  # without the validation
    half = footprint("unet", 64, replace(settings, batch=4), False).largest
    assert half <= found.peak(replace(settings, accumulate=2)) <= 1.02 * half


@pytest.mark.parametrize(
    ("gib", "parts"), [(20, 1), (16, 1), (15.9, 2), (9.2, 2), (9.1, 4), (5.8, 4), (5.6, 8), (4, 8), (3.9, None)]
)
def test_the_smallest_number_of_parts_that_fits(train_settings: Make, gib: float, parts: int | None) -> None:
    """With 2, 4, 8 and 16 images at once 4, 5.71, 9.14 and 16 GiB."""
    found = Footprint(GIB, 4 * GIB, 16, 16 * GIB, 0)
    assert found.accumulate(train_settings(batch=16), gib * GIB) == parts


def test_the_validation_may_need_more_than_the_step(train_settings: Make) -> None:
    found = Footprint(GIB, 2 * GIB, 4, 3 * GIB, GIB)
    assert found.peak(train_settings(batch=4, accumulate=2)) == 9 * GIB  # 8 images at once


def test_a_network_that_cannot_be_built_is_refused(train_settings: Make) -> None:
    with pytest.raises(UserError, match="model 'context_cracknet' cannot be built with mit_b0 at 64 px: "):
        footprint("context_cracknet", 64, train_settings(encoder="mit_b0"), False)


def test_kept_data_and_headroom() -> None:
    assert memory.kept_data(448, 10) == 10 * 448 * 448 * 4
    assert memory.available(11 * GIB) == pytest.approx(9.5 * GIB)
    assert memory.say_gb(1.25 * GIB) == "1.2 GB"


@pytest.mark.slow
def test_computed_and_measured_agree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole benchmark on two networks; each is measured in a process of its own."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    out = tmp_path / "memory.json"
    arguments = ["--models", "unet,context_cracknet", "--encoder", "resnet18", "--image-size", "128", "--batches", "8"]
    result = CliRunner().invoke(importlib.import_module("memory").main, [*arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert [row["model"] for row in rows] == ["unet", "context_cracknet"]
    assert all(row["ratio"] == pytest.approx(1, abs=0.1) for row in rows), rows
