"""A cell without a score is failed, skipped or missing, and says so; it is never a zero."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.formats import files, scores
from bench.ranking import check
from bench.ranking.partial import partial_table
from bench.ranking.results import Results, read
from bench.ranking.standings import Query
from bench.ranking.states import failures, skipped, state
from bench.render.text import plain

MODELS = ["unet", "fpn", "pan"]


@pytest.fixture
def results(tmp_path: Path, write_grid: Any) -> Results:
    """Return a grid in which fpn failed on GAPs and pan has no run there."""
    write_grid(tmp_path, datasets=["cfd", "gaps"], models=MODELS)
    folder = tmp_path / "results" / "scores" / "gaps"
    part = scores.read(folder)
    kept = {name: frame[frame["model"] == "unet"] for name in scores.TABLES if len(frame := getattr(part, name))}
    assert part.histograms is not None
    histograms = part.histograms[(part.images["model"] == "unet").to_numpy()]
    missing = [{"dataset": "gaps", "model": "fpn", "seed": 0, "failed": "the loss is NaN"}]
    missing.append({"dataset": "gaps", "model": "pan", "seed": 0})
    cells = [c for c in part.cells if c["model"] == "unet"]
    scores.write(folder, replace(part, **kept, cells=cells, histograms=histograms, missing=missing))
    return read(tmp_path / "results", ["cfd", "gaps"], MODELS, [0])


def test_what_failed_is_told_apart_from_what_is_missing(results: Results) -> None:
    assert results.failed == {"gaps/fpn/0": "the loss is NaN"}
    assert (state(results, "gaps", "fpn"), state(results, "gaps", "pan")) == ("failed", "missing")
    assert failures(results) == ["gaps/fpn/0 failed: the loss is NaN."]
    found = check.findings(results)
    assert "gaps/pan/0 is missing." in found
    assert "gaps/fpn/0 failed: the loss is NaN." in found
    assert "gaps/fpn/0 is missing." not in found


def test_the_partial_leaderboard_shows_the_states_and_no_zero(results: Results) -> None:
    table = partial_table(results, Query("crack_iou", "pooled"))
    rows = table.frame.set_index("Model")
    assert rows.loc[["FPN", "PAN"], "GAPs"].tolist() == ["failed", "missing"]
    assert rows.loc["FPN", "Cells"] == "1 of 2, 1 failed"
    assert "gaps/fpn/0 failed: the loss is NaN." in table.notes
    text = plain(table)
    assert " failed" in text
    assert " 0.0000" not in text


def test_what_an_entry_leaves_out_is_skipped(results: Results) -> None:
    cells = [c | {"trained": "entered"} if c["model"] == "pan" else c for c in results.cells]
    entered = replace(results, cells=cells, missing=[n for n in results.missing if "pan" not in n])
    assert state(entered, "gaps", "pan") == "skipped"
    assert skipped(entered) == ["PAN was not entered on GAPs: skipped."]
    assert "PAN was not entered on GAPs: skipped." in check.notes(entered)
    assert skipped(results) == []
    failed = replace(entered, failed={"gaps/pan/0": "no"}, missing=[])
    assert "gaps/pan/0 failed: no." in check.notes(failed)
    assert "gaps/pan/0 failed: no." not in check.findings(failed)  # an entry's failure does not stop the ranking


def test_a_failure_is_forgotten_once_the_cell_has_scores(tmp_path: Path, results: Results) -> None:
    path = tmp_path / "results" / "scores" / "gaps" / "cells.json"
    content = files.read_json(path)
    content["missing"].append({"dataset": "gaps", "model": "unet", "seed": 0, "failed": "before"})
    files.write_json(path, content)
    files.write_checksums(path.parent)
    assert list(read(tmp_path / "results", ["cfd", "gaps"], MODELS, [0]).failed) == ["gaps/fpn/0"]
