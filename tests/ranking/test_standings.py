"""Intervals of the metrics of a curve: each draw is the metric of the images of the photographs drawn."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from bench import plugins
from bench.cli.main import main
from bench.errors import UserError
from bench.metrics.histogram import curves
from bench.metrics.ratios import f1
from bench.ranking.results import read
from bench.ranking.standings import Query, compute_standings, independent, shared_note
from bench.stats.bootstrap import interval

CASES = [
    ("ods", "pooled"), ("ods_image_mean", "image_mean"),
    *((name, how) for name in ("aiu", "average_precision", "expected_calibration_error")
      for how in ("pooled", "image_mean", "batch_mean")),
]  # fmt: skip


DATASETS = ["volker", "gaps", "cfd", "forest"]


def by_hand(metric, how, histograms, batches):
    """Return a metric of images that are simply there as often as they were drawn."""
    compute = plugins.load("metrics", metric).compute
    if metric == "ods_image_mean":
        return f1(*curves(histograms)).mean(0)[1:].max()
    groups = {"pooled": [batches >= 0], "image_mean": list(np.eye(len(batches), dtype=bool)),
              "batch_mean": [batches == b for b in np.unique(batches)]}[how]  # fmt: skip
    return np.mean([compute(*curves(histograms[group].sum(0))) for group in groups])


@pytest.mark.parametrize(("metric", "how"), CASES)
def test_draws_are_those_of_the_images_drawn(workspace, metric, how):
    folder = workspace(["cfd"], {"fpn": 0.6, "unet": 0.75})
    results = read(folder / "results", ["cfd"], ["fpn", "unet"], [0])
    found = compute_standings(results, Query(metric, how, 100), ["cfd"], ["fpn", "unet"])
    rows = results.images[results.images["model"] == "unet"]
    histograms, batches = results.histograms[rows.index], rows["batch"].to_numpy()
    assert found.values[0, 1] == pytest.approx(by_hand(metric, how, histograms, batches), abs=1e-8)
    photos = np.unique(rows["photo"], return_inverse=True)[1]
    possible = set()
    for drawn in np.ndindex(3, 3, 3):  # of three photographs, each may come up to three times
        order = np.concatenate([np.flatnonzero(photos == photo) for photo in drawn])
        if how != "image_mean" or metric == "ods_image_mean":
            possible.add(round(float(by_hand(metric, how, histograms[order], batches[order])), 6))
        else:
            single = [by_hand(metric, how, histograms[[i]], batches[[i]]) for i in order]
            possible.add(round(float(np.mean(single)), 6))
    drawn = set(found.draws[:, 0, 1].round(6).tolist())
    assert len(drawn) > 5
    assert all(min(abs(value - other) for other in possible) < 3e-6 for value in drawn)
    low, high = interval(found.draws[:, 0])
    assert (low <= high).all()


def test_the_leaderboard_has_intervals_of_ods_and_conventions_says_what_is_undefined(workspace, monkeypatch):
    monkeypatch.chdir(workspace(["cfd", "forest"], {"fpn": 0.6, "unet": 0.75}))
    said = CliRunner().invoke(main, ["leaderboard", "--metric", "ods", "--resamples", "100", "--format", "json"]).output
    (rows,) = json.loads(said).values()
    assert all(r["Low"] <= r["Score"] <= r["High"] for r in rows)
    said = CliRunner().invoke(main, ["conventions", "unet", "--dataset", "cfd"]).output
    (line,) = (line for line in said.splitlines() if line.startswith("ODS  ") and "0.0000" in line)
    assert line.split()[3:] == ["-", "-", "0.0000"]
    reason = "No ods mean of batches, ods_image_mean mean of batches: one threshold is chosen for the whole dataset"
    assert reason in " ".join(said.split())
    assert "No batch_mean: one threshold is chosen" in CliRunner().invoke(main, ["explain", "ods"]).output


def test_a_plug_in_dataset_can_share_images_with_one_that_does_not_name_it(workspace, monkeypatch):
    results = read(workspace(DATASETS, {"unet": 0.75}) / "results", DATASETS, ["unet"], [0])
    assert independent(DATASETS) == 3
    card = plugins.load("datasets", "gaps").CARD
    monkeypatch.setattr("bench.datasets.gaps.CARD", replace(card, shares_photographs_with=("volker", "other")))
    assert independent(DATASETS) == 2
    assert independent(["gaps", "cfd"]) == 2
    first, second = shared_note(results, DATASETS)
    assert first.startswith(f"{results.names['volker']} and {card.name} have source images in common")
    assert second.startswith("CFD and Forest have")


def test_a_metric_whose_columns_no_file_has_is_refused_by_name(tmp_path, write_grid):
    write_grid(tmp_path, datasets=["cfd"], models=["unet", "fpn"])
    found = read(tmp_path / "results", ["cfd"], ["unet", "fpn"], [0])
    with pytest.raises(UserError, match=r"no score file here records hausdorff95_px, .*`dvc repro evaluate`"):
        compute_standings(found, Query("hausdorff95_px", "image_mean"), ["cfd"], ["unet", "fpn"])
