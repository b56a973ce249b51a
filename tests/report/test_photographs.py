"""Figures and pages of source images: drawn if prepared/ and runs/ exist, otherwise left out with a message."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from bench.formats import cost, files, predictions, scores
from bench.render.panels import missed_pieces
from bench.report.difficulty import difficulty, likely_cause
from bench.stages.evaluate import score
from tests.fixtures import grid as grid_module

ROOT = Path(__file__).parents[2]
TRAIN = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]


@pytest.fixture
def workspace(tmp_path):
    """Return a workspace of one dataset and two models with photographs, predictions and gates."""
    data = grid_module.write_prepared(tmp_path / "prepared" / "cfd", "cfd", 0)
    tables, histograms, cells = {name: [] for name in scores.TABLES if name != "history"}, [], []
    for model, quality in (("context_cracknet", 0.9), ("manet", 0.3)):
        found, cell = grid_module.predict(data, quality, 0), {"dataset": "cfd", "model": model, "seed": 0}
        for item, levels in found.items():
            predictions.write_one(tmp_path / "runs" / "cfd" / model / "0" / "probabilities", item, levels)
        written, counts = score(data, lambda item, _, found=found: found[item], 4)
        histograms.append(counts)
        for name, table in written.items():
            tables[name].append(table.assign(**cell))
        cells.append(grid_module.record_of(data, model, 0, TRAIN))
        cost.write(tmp_path / "results" / "cost" / f"{model}.json", dict.fromkeys(cost.KEYS, 1.0) | {"model": model})
    for side in (2, 4, 8, 16):
        gate = np.full((side, side), 200, np.uint8)
        predictions.write_one(tmp_path / "runs" / "cfd" / "context_cracknet" / "0" / "gates" / str(side), "cfd_0", gate)
    frames = {name: pd.concat(parts) for name, parts in tables.items()} | {"histograms": np.concatenate(histograms)}
    made = scores.Scores(
        **frames, history=pd.DataFrame(columns=scores.HISTORY), cells=cells, card=data.card, missing=[]
    )
    scores.write(tmp_path / "results" / "scores" / "cfd", made)
    params = {"datasets": ["cfd"], "models": ["context_cracknet", "manet"], "seeds": [0]}
    files.write_text(tmp_path / "params.yaml", yaml.safe_dump(params))
    return tmp_path


def test_panels_and_images_are_there(workspace, run_report):
    assert "Without source images" not in run_report(workspace)
    folder = workspace / "reports" / "photographs"
    for figure in ("figure4", "figure5", "figure7", "figure8"):
        assert cv2.imread(str(folder / f"{figure}.png")).std() > 10, f"{figure} is empty"
    shown = sorted(p.name for p in (folder / "cfd").glob("*.manet.png"))
    assert len(shown) == 6  # three worst, three best
    mask = cv2.imread(str(folder / "cfd" / shown[0]), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask[..., 3])) == {0, 170}
    page = (workspace / "reports" / "index.html").read_text()
    assert '"photo":"photographs/cfd/cfd_0.jpg"' in page  # beside the page: real photographs are never put inside


def test_a_model_that_was_dropped_is_in_no_figure_and_its_files_go(workspace, run_report):
    run_report(workspace)
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    files.write_text(workspace / "params.yaml", yaml.safe_dump(params | {"models": ["manet"]}))
    run_report(workspace)
    folder = workspace / "reports" / "photographs"
    assert not (folder / "figure7.png").exists()
    assert list(folder.glob("cfd/*.manet.png"))
    shutil.rmtree(workspace / "runs")
    run_report(workspace)
    assert not list(folder.rglob("*.png"))


def test_figure_5_says_whose_image_and_finds_it_shows(workspace, run_report):
    run_report(workspace)
    whole = (workspace / "reports" / "index.html").read_text()
    assert "the test image with CONTEXT_CRACKNET&#39;s median IoU" in whole
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    files.write_text(workspace / "params.yaml", yaml.safe_dump(params | {"models": ["manet"]}))
    run_report(workspace)
    assert (workspace / "reports" / "photographs" / "figure5.png").exists()
    alone = (workspace / "reports" / "index.html").read_text()
    assert "the test image with MANET&#39;s median IoU" in alone
    assert "CONTEXT_CRACKNET" not in alone
    assert "crack that MANET detects" in alone


def test_the_highlighted_model_comes_first_and_without_one_the_best_ranked(workspace, run_report):
    for highlight, first in (((), "CONTEXT_CRACKNET"), (("manet",), "MANET"), (("unet", "manet"), "MANET")):
        run_report(workspace, highlight=highlight)
        page = (workspace / "reports" / "index.html").read_text()
        assert f"the test image with {first}&#39;s median IoU" in page


def test_without_photographs_it_says_so(workspace, run_report):
    (workspace / "prepared").rename(workspace / "elsewhere")
    assert "Without source images" in run_report(workspace)
    assert not (workspace / "reports" / "photographs").exists()


def test_photographs_prepared_anew_are_not_shown_beside_older_scores(workspace, run_report):
    card = files.read_json(workspace / "prepared" / "cfd" / "card.json")
    files.write_json(workspace / "prepared" / "cfd" / "card.json", card | {"content": "other"})
    files.write_checksums(workspace / "prepared" / "cfd")
    run_report(workspace)
    assert not (workspace / "reports" / "photographs").exists()


def test_only_pieces_that_one_finds_and_the_other_misses_are_boxed():
    true = np.zeros((40, 60), bool)
    true[10, 5:55] = true[30, 5:55] = True
    finds, misses = true.copy(), true.copy()
    misses[10] = False  # the upper line is missed
    ((x, y, width, height),) = missed_pieces(true, finds, misses)
    assert (x < 5, y < 10 < y + height, x + width > 54, height < 8) == (True, True, True, True)
    finds[10] = False  # nobody finds it
    assert missed_pieces(true, finds, misses) == []
    assert missed_pieces(true, true, np.roll(true, 2, axis=0)) == []  # within tolerance


def test_the_likely_cause_is_measured():
    image, true = np.full((64, 64, 3), 120, np.uint8), np.zeros((64, 64), bool)
    image[::2] += 2
    true[30:34] = True
    faint, clear = image.copy(), image.copy()
    faint[true], clear[true] = 119, 20
    found = pd.DataFrame({"faint": difficulty(faint, true), "clear": difficulty(clear, true)}).T
    assert found.loc["faint", "contrast"] < found.loc["clear", "contrast"]
    assert found["width_px"].between(3.5, 4.6).all()
    assert found["share_pct"].tolist() == [6.25, 6.25]
    assert likely_cause(found, "faint").startswith("likely: low contrast")
    assert np.isnan(difficulty(image, np.zeros_like(true))["contrast"])
