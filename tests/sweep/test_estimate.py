"""Estimates from past runs: medians, scaling by multiply-adds, longest first."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.formats import cost
from bench.sweep.cells import Cell
from bench.sweep.estimate import longest_first, model_of, throughput, train_items
from bench.sweep.ledger import Attempt


def record(root: Path, model: str, seed: int, speed: float, gpu: str = "A") -> None:
    settings = {"prepare": {"image_size": 448}, "train": {"encoder": "resnet50"}}
    content = {"dataset": "cfd", "model": model, "seed": seed, "settings": settings, "images_per_s": speed}
    path = root / "runs" / "cfd" / model / str(seed) / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content | {"hardware": {"gpu": gpu, "processor": "p"}}))


def cell(model: str, source: str) -> Cell:
    command = ("train", source, "out", "--model", model)
    return Cell(f"train@{source}-{model}-0", command, Path("prepared") / source, Path("runs"), "f")


@pytest.fixture
def root(tmp_path: Path, cost_record: Callable[..., dict[str, Any]]) -> Path:
    for model, gmacs in (("unet", 30.0), ("fpn", 60.0)):
        cost.write(tmp_path / "results" / "cost" / f"{model}.json", cost_record(model=model, gmacs=gmacs))
    return tmp_path


def test_speeds_are_medians_and_others_follow_from_multiply_adds(root: Path) -> None:
    for seed, speed in enumerate((80.0, 100.0, 300.0)):
        record(root, "unet", seed, speed)
    found = throughput(root, 448, "resnet50")
    assert found.images_per_s == {"unet": 100, "fpn": pytest.approx(50)}
    assert found.measured == {"unet"}
    assert found.hardware == "A"


def test_other_settings_do_not_count_and_the_hardware_with_most_runs_does(root: Path) -> None:
    for seed, gpu in enumerate(("A", "B", "B")):
        record(root, "unet", seed, 10.0 + seed, gpu)
    assert throughput(root, 448, "resnet50").hardware == "B"
    assert throughput(root, 448, "resnet50").images_per_s["unet"] == 11.5
    assert throughput(root, 256, "resnet50").images_per_s == {}


def test_a_damaged_record_is_left_out(root: Path) -> None:
    record(root, "unet", 0, 10.0)
    record(root, "unet", 1, 99.0)
    (root / "runs" / "cfd" / "unet" / "1" / "run.json").write_text("{")
    assert throughput(root, 448, "resnet50").images_per_s["unet"] == 10


def test_cells_with_most_images_times_multiply_adds_come_first(root: Path) -> None:
    for source, items in (("small", 2), ("large", 5)):
        path = root / "prepared" / source / "items.csv"
        path.parent.mkdir(parents=True)
        path.write_text("split\n" + "train\n" * items + "test\n")
        assert train_items(path.parent) == items
    assert train_items(root / "nowhere") is None
    todo = [(cell(m, s), Attempt(root, 0)) for s in ("small", "large") for m in ("unet", "fpn")]
    ordered = [(c.source.name, model_of(c)) for c, _ in longest_first(root, todo) if c.source]
    assert ordered == [("large", "fpn"), ("large", "unet"), ("small", "fpn"), ("small", "unet")]
