"""Bands of scores against moving the masks, and the pairs of models whose order lies inside."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.formats.scores import COUNTS, MOVED, MOVEMENTS
from bench.ranking import label_band
from bench.ranking.compare import compare
from bench.ranking.leaderboard import leaderboards
from bench.ranking.results import Results, read
from bench.ranking.standings import Query, compute_standings

DATASETS, MODELS = ["cfd", "gaps"], ["fpn", "unet"]


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    folder = workspace(DATASETS, {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"
    return read(folder, DATASETS, MODELS, [0, 1])


@pytest.mark.parametrize("average", ["pooled", "image_mean", "batch_mean"])
@pytest.mark.parametrize("metric", ["crack_iou", "specificity"])
def test_the_first_score_is_that_of_the_standings(results: Results, metric: str, average: str) -> None:
    query = Query(metric, average, 100)
    moved = label_band.moved_scores(results, query, DATASETS, MODELS)
    assert moved is not None
    assert moved.shape == (1 + len(MOVEMENTS), 2, 2)
    np.testing.assert_allclose(moved[0], compute_standings(results, query, DATASETS, MODELS).values)


def test_counts_against_a_moved_truth_by_hand() -> None:
    table = pd.DataFrame([[10, 5, 7, 78]], columns=COUNTS).assign(tp_dilated=13, fn_dilated=9)
    found = label_band.counts_of(table, "dilated")
    assert [float(count[0]) for count in found] == [13, 2, 9, 76]
    assert [float(count[0]) for count in label_band.counts_of(table, None)] == [10, 5, 7, 78]


def test_older_score_files_and_other_metrics_have_no_band(results: Results) -> None:
    old = replace(results, images=results.images.assign(tp_up=np.nan))
    assert label_band.moved_scores(old, Query("crack_iou", "pooled"), DATASETS, MODELS) is None
    gone = replace(results, images=results.images.drop(columns=MOVED))
    assert label_band.moved_scores(gone, Query("crack_iou", "pooled"), DATASETS, MODELS) is None
    assert label_band.moved_scores(results, Query("f1_2px", "pooled"), DATASETS, MODELS) is None
    assert label_band.bands(None) == []
    table = leaderboards(old, Query("crack_iou", "pooled", 100), DATASETS, rank_published=False)[0]
    assert label_band.HEADING not in table.frame


def test_a_band_spans_the_movements_and_a_star_marks_a_change_of_order() -> None:
    scores = np.array([[[0.5, 0.4, 0.2]], [[0.3, 0.35, 0.25]], [[0.6, 0.5, 0.1]]])
    assert label_band.bands(scores) == ["0.300 to 0.600", "0.350 to 0.500", "0.100 to 0.250"]
    assert label_band.of_differences(scores, 1, 0, [1, 2]) == ["-0.0500 to 0.1000 *", "0.0500 to 0.5000"]
    assert label_band.of_differences(scores, -1, 0, [1]) == ["-0.1000 to 0.0500 *"]


def test_the_leaderboard_shows_bands_and_names_the_pairs(results: Results) -> None:
    query = Query("crack_iou", "pooled", 100)
    table = leaderboards(results, query, DATASETS, rank_published=False)[0]
    moved = label_band.moved_scores(results, query, DATASETS, MODELS)
    assert moved is not None
    bands = table.frame[table.frame["Trained"] == "here"].set_index("Model")[label_band.HEADING]
    assert set(table.frame.loc[table.frame["Trained"] == "paper", label_band.HEADING]) == {""}
    assert bands["UNET"] == label_band.bands(moved)[1]
    assert any("No order of two models changes." in note for note in table.notes)
    swapped = np.where(results.images["model"] == "fpn", 0, results.images["tp_up"])  # fpn loses all by it
    better = np.where(results.images["model"] == "unet", 0, swapped)
    images = results.images.assign(tp_up=better, tp_down=swapped)
    worse = leaderboards(replace(results, images=images), query, DATASETS, rank_published=False)[0]
    assert any("inside the band: FPN and UNET." in note for note in worse.notes)


def test_compare_shows_the_band_of_each_difference(results: Results) -> None:
    query = Query("crack_iou", "pooled", 100)
    pairs = next(t for t in compare(results, query, "unet", None, 0.01).tables if t.name == "pairs")
    moved = label_band.moved_scores(results, query, DATASETS, MODELS)
    assert moved is not None
    differences = (moved[..., 1] - moved[..., 0]).mean(1)
    expected = f"{differences.min():.4f} to {differences.max():.4f}"
    assert pairs.frame.loc[0, label_band.HEADING] == expected
