"""Reading a results folder: what is missing is named, mixed protocols are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.ranking.results import read


@pytest.fixture
def folder(workspace: Callable[..., Path]) -> Path:
    return workspace(["cfd"], {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"


def test_declared_cells_are_read_and_missing_ones_named(folder: Path) -> None:
    results = read(folder, ["cfd", "gaps"], ["unet", "pan"], [0])
    assert {(c["model"], c["seed"]) for c in results.cells} == {("unet", 0)}
    assert set(results.images["model"]) == {"unet"}
    assert len(results.histograms) == len(results.images)
    assert results.missing[:3] == ["cfd/pan/0", "gaps/unet/0", "gaps/pan/0"]
    assert "cost of pan" in results.missing
    assert "cost of unet" not in results.missing


def test_every_cell_has_a_value_for_each_metric_and_average(folder: Path) -> None:
    summary = read(folder, ["cfd"], ["fpn", "unet"], [0, 1]).summary
    counts = summary.groupby(["model", "seed"]).size()
    assert counts.nunique() == 1
    assert len(counts) == 4
    assert not summary.duplicated(["dataset", "model", "seed", "metric", "average"]).any()
    rows = summary.set_index(["model", "seed", "metric", "average"])["value"]
    assert rows[("unet", 0, "crack_iou", "pooled")] > rows[("fpn", 0, "crack_iou", "pooled")]


def test_nothing_at_all_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=str(tmp_path)):
        read(tmp_path, ["cfd"], ["unet"], [0])


def test_mixed_protocols_are_refused_unless_asked_for(folder: Path) -> None:
    path = folder / "scores" / "cfd" / "cells.json"
    content = json.loads(path.read_text())
    content["cells"][0]["protocol"] = "ffffffffffff"
    content.pop("checksum", None)
    path.write_text(json.dumps(content))
    (path.parent / "SHA256SUMS").unlink()
    with pytest.raises(UserError, match="ffffffffffff"):
        read(folder, ["cfd"], ["fpn", "unet"], [0, 1])
    assert len(read(folder, ["cfd"], ["fpn", "unet"], [0, 1], mixed=True).cells) == 4
