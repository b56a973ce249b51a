"""Figures and pages of source images: drawn if prepared/ and runs/ exist, otherwise left out with a message."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml

from bench.formats import files
from bench.render.panels import missed_pieces
from bench.report.difficulty import difficulty, likely_cause

ROOT = Path(__file__).parents[2]
TRAIN = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]


def test_panels_and_images_are_there(photographed, run_report):
    assert "Without source images" not in run_report(photographed)
    folder = photographed / "reports" / "photographs"
    for figure in ("figure4", "figure5", "figure7", "figure8"):
        assert cv2.imread(str(folder / f"{figure}.png")).std() > 10, f"{figure} is empty"
    shown = sorted(p.name for p in (folder / "cfd").glob("*.manet.png"))
    assert len(shown) == 6  # three worst, three best
    mask = cv2.imread(str(folder / "cfd" / shown[0]), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask[..., 3])) == {0, 170}
    page = (photographed / "reports" / "index.html").read_text()
    assert '"photo":"photographs/cfd/cfd_0.jpg"' in page  # beside the page: real photographs are never put inside


def test_a_model_that_was_dropped_is_in_no_figure_and_its_files_go(photographed, run_report):
    run_report(photographed)
    params = yaml.safe_load((photographed / "params.yaml").read_text())
    files.write_text(photographed / "params.yaml", yaml.safe_dump(params | {"models": ["manet"]}))
    run_report(photographed)
    folder = photographed / "reports" / "photographs"
    assert not (folder / "figure7.png").exists()
    assert list(folder.glob("cfd/*.manet.png"))
    shutil.rmtree(photographed / "runs")
    run_report(photographed)
    assert not list(folder.rglob("*.png"))


def test_figure_5_says_whose_image_and_finds_it_shows(photographed, run_report):
    run_report(photographed, only=("page",))
    whole = (photographed / "reports" / "index.html").read_text()
    assert "the test image with CONTEXT_CRACKNET&#39;s median IoU" in whole
    params = yaml.safe_load((photographed / "params.yaml").read_text())
    files.write_text(photographed / "params.yaml", yaml.safe_dump(params | {"models": ["manet"]}))
    run_report(photographed, only=("figure5", "page"))
    assert (photographed / "reports" / "photographs" / "figure5.png").exists()
    alone = (photographed / "reports" / "index.html").read_text()
    assert "the test image with MANET&#39;s median IoU" in alone
    assert "CONTEXT_CRACKNET" not in alone
    assert "crack that MANET detects" in alone


def test_the_highlighted_model_comes_first_and_without_one_the_best_ranked(photographed, run_report):
    for highlight, first in (((), "CONTEXT_CRACKNET"), (("manet",), "MANET"), (("unet", "manet"), "MANET")):
        run_report(photographed, highlight=highlight, only=("page",))
        page = (photographed / "reports" / "index.html").read_text()
        assert f"the test image with {first}&#39;s median IoU" in page


def test_without_photographs_it_says_so(photographed, run_report):
    (photographed / "prepared").rename(photographed / "moved")
    assert "Without source images" in run_report(photographed)
    assert not (photographed / "reports" / "photographs").exists()


def test_photographs_prepared_anew_are_not_shown_beside_older_scores(photographed, run_report):
    card = files.read_json(photographed / "prepared" / "cfd" / "card.json")
    files.write_json(photographed / "prepared" / "cfd" / "card.json", card | {"content": "other"})
    files.write_checksums(photographed / "prepared" / "cfd")
    run_report(photographed, only=("figure5", "figure7", "figure8", "page"))
    assert not (photographed / "reports" / "photographs").exists()


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
    others = [found.loc[["clear"]]] * 10
    assert likely_cause(pd.concat([found.loc[["faint"]], *others]), "faint").startswith("likely: low contrast")
    assert np.isnan(difficulty(image, np.zeros_like(true))["contrast"])
