"""Detectors without training find a dark line, are tuned on validation images only, and stand below the ranking."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.formats import files, prepared, scores
from bench.ranking.check import findings
from bench.ranking.leaderboard import leaderboards
from bench.ranking.results import read
from bench.ranking.standings import Query
from bench.tools.baselines import BASELINED, best_threshold, score_baselines, tune

Make = Callable[..., Any]


def test_the_threshold_of_the_highest_iou_takes_all_pixels_of_one_response() -> None:
    response = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    crack = np.array([True, True, True, False, False])
    # above 0.9: 1 of 3 found, IoU 1/3; above 0.5: 3 found, one false, IoU 3/4; all: 3/5
    assert best_threshold(response, crack) == (0.5, 0.75)


@pytest.mark.parametrize("name", ["black_top_hat", "frangi", "sato"])
def test_a_dark_line_is_found_in_images_that_were_not_tuned_on(name: str, make_prepared: Make) -> None:
    data = prepared.read(make_prepared((2, 3, 3)))
    tuned = tune(BASELINED[name], data)
    row = int(data.split("test")[0])
    grey = np.asarray(data.images[row]).mean(-1) / 255
    found = tuned.probabilities(BASELINED[name].respond(grey, tuned.width_px)) >= 0.5
    true = np.asarray(data.masks[row]) > 0
    assert tuned.validation_iou > 0.6
    assert (found & true).sum() / (found | true).sum() > 0.6


def test_test_images_have_no_say_in_what_is_chosen(make_prepared: Make) -> None:
    data = prepared.read(make_prepared((2, 2, 2)))
    other = replace(data, masks=np.array(data.masks))
    other.masks[data.split("test")] = 1
    assert tune(BASELINED["sato"], data) == tune(BASELINED["sato"], other)


def test_without_validation_images_the_setting_is_named(
    make_prepared: Make, tmp_path: Path, train_settings: Make
) -> None:
    with pytest.raises(UserError, match=r"prepare\.validation_share"):
        next(score_baselines(make_prepared((4, 0, 2)), tmp_path, train_settings(), 4))


@pytest.fixture
def folder(workspace: Make, make_prepared: Make, train_settings: Make, tmp_path: Path) -> Path:
    """Return results of one model on a dataset, with the baselines on the same test images."""
    source = make_prepared((2, 3, 3))
    results = tmp_path / "scored"
    said = list(score_baselines(source, results, train_settings(), 4))
    assert len(said) == len(BASELINED)
    part = scores.read(results / "baselines" / "external" / "sato" / "cfd")
    frames = {kind: getattr(part, kind).assign(model="unet") for kind in scores.TABLES}
    cells = [
        {k: v for k, v in c.items() if k != "trained"} | {"model": "unet", "model_name": "U-Net"} for c in part.cells
    ]
    scores.write(results / "scores" / "cfd", replace(part, **frames, cells=cells))
    return results


def test_baselines_stand_below_the_ranking_without_a_place(folder: Path) -> None:
    results = read(folder, ["cfd"], ["unet"], [0])
    assert results.models == ["unet"]
    (table,) = leaderboards(results, Query("crack_iou", "pooled", 200), ["cfd"], rank_published=False)
    rows = table.frame[table.frame["Trained"] != "paper"].set_index("Model")
    floor = rows[rows["Trained"] == "not trained"]
    assert sorted(floor.index) == ["Black top-hat", "Frangi filter", "Otsu threshold", "Sato filter"]
    assert (floor["Place"] == "").all()
    assert floor["Mean rank"].isna().all()
    assert (floor["Group"] == "").all()
    assert set(rows["Tier"]) == {"re-run"}
    assert rows.loc["Sato filter", "Score"] == rows.loc["U-Net", "Score"]  # the same counts, under both names
    assert rows.loc["Sato filter", "Low"] <= rows.loc["Sato filter", "Score"] <= rows.loc["Sato filter", "High"]
    assert any("floor" in note for note in table.notes)


def test_baselines_on_other_data_are_a_finding(folder: Path) -> None:
    path = folder / "baselines" / "external" / "otsu" / "cfd"
    part = scores.read(path)
    scores.write(path, replace(part, cells=[c | {"data": "0" * 16} for c in part.cells]))
    found = findings(read(folder, ["cfd"], ["unet"], [0]))
    assert "The baselines were scored on a different version of cfd: run `bench baselines` again." in found


def test_the_choice_is_recorded(folder: Path) -> None:
    record = files.read_json(folder / "baselines" / "external" / "sato" / "cfd" / "cells.json")["cells"][0]
    assert record["trained"] == "not trained"
    assert record["chosen"]["width_px"] in BASELINED["sato"].widths_px
