"""Which models and images Figures 4, 5, 7 and 8 show, and that they are left out if their data are missing."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bench.formats import files
from bench.ranking.results import read
from bench.render import panels
from bench.report import photograph_figures
from bench.report.context import Values
from bench.report.figures import caption
from bench.report.parts import figure_files
from bench.report.photographs import Photographs

MODELS = ["context_cracknet", "manet"]
FIGURES = [getattr(photograph_figures, f"figure_{number}") for number in (4, 5, 7, 8)]


def photographs(folder: Path, models: list[str] = MODELS) -> Photographs:
    results = read(folder / "results", ["cfd"], MODELS, [0])
    return Photographs(results, ["cfd"], models, folder / "prepared", folder / "runs")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the rows that figures 5, 7 and 8 are drawn from."""
    rows: list[Any] = []
    for name in ("comparison", "gates", "failures"):
        monkeypatch.setattr(panels, name, lambda given, *_: rows.extend(given) or Figure())
    return rows


@pytest.mark.parametrize("draw", FIGURES)
def test_each_figure_is_drawn_and_left_out_without_images(photographed: Path, draw: Any) -> None:
    assert draw(photographs(photographed)) is not None
    shutil.rmtree(photographed / "prepared")
    assert draw(photographs(photographed)) is None


@pytest.mark.parametrize(("preferred", "expected"), [(MODELS, MODELS), (MODELS[::-1], MODELS[::-1]), (["unet"], [])])
def test_the_preferred_model_is_compared_with_the_others(
    photographed: Path, preferred: list[str], expected: list[str]
) -> None:
    assert photograph_figures.compared(photographs(photographed, preferred)) == expected


def test_models_of_the_paper_come_first_up_to_the_number_of_columns(photographed: Path) -> None:
    others = ["unet", "fpn", "linknet", "pspnet", "pan"]
    for model in others:
        shutil.copytree(photographed / "runs" / "cfd" / "manet", photographed / "runs" / "cfd" / model)
    columns = photograph_figures.compared(photographs(photographed, ["context_cracknet", *others]))
    assert columns == ["context_cracknet", "pspnet", "fpn", "unet", "linknet"]


def test_figure_5_shows_the_median_image_and_an_empty_place_without_predictions(
    photographed: Path, shown: list[Any]
) -> None:
    source = photographs(photographed)
    assert photograph_figures.figure_5(source)
    ((name, image, true, masks),) = shown
    ious = source.by_iou("cfd", "context_cracknet")["iou"].tolist()
    item = source.by_iou("cfd", "context_cracknet")["item"].iloc[2]  # of six, worst first
    assert ious == sorted(ious)
    assert name == "CFD"
    assert np.array_equal(image, source.pair("cfd", item)[0])
    assert np.array_equal(true, source.pair("cfd", item)[1])
    assert np.array_equal(masks[1], source.predicted("cfd", "manet", item))


def test_figure_7_shows_the_gates_from_coarse_to_fine(photographed: Path, shown: list[Any]) -> None:
    assert photograph_figures.figure_7(photographs(photographed))
    assert [gate.shape for gate in shown[0][3]] == [(2, 2), (4, 4), (8, 8), (16, 16)]
    assert photograph_figures.figure_7(photographs(photographed, ["manet"])) is None


def test_figure_8_shows_the_worst_image_and_a_likely_cause(photographed: Path, shown: list[Any]) -> None:
    source = photographs(photographed, ["manet"])
    assert photograph_figures.figure_8(source)
    ((title, image, *_, cause),) = shown
    worst = source.by_iou("cfd", "manet").iloc[0]
    assert title == f"CFD, MANET, IoU {worst['iou']:.3f}"
    assert np.array_equal(image, source.pair("cfd", worst["item"])[0])
    assert cause


@pytest.mark.parametrize("trained", ["entered", "external"])
def test_a_model_that_was_entered_is_in_figures_5_7_and_8(photographed: Path, shown: list[Any], trained: str) -> None:
    runs, others = photographed / "runs" / "cfd", ["unet", "fpn", "linknet", "pspnet", "pan"]
    for model in (*others, "mine"):
        shutil.copytree(runs / "context_cracknet", runs / model)
    source = photographs(photographed, ["context_cracknet", *others, "mine"])
    source.results.cells.append(source.results.cells[0] | {"model": "mine", "trained": trained})
    source.results.names.update(mine="Mine")
    frame = source.iou[source.iou["model"] == "context_cracknet"]
    source.iou = pd.concat([source.iou, frame.assign(model="mine")])
    assert photograph_figures.compared(source) == ["context_cracknet", "mine", "pspnet", "fpn", "unet"]
    assert photograph_figures.figure_7(source)
    assert photograph_figures.figure_8(source)
    titles = [row[0] for row in shown]
    assert titles[:2] == ["CFD", "CFD,\nMine"]
    assert [title.split(",")[1] for title in titles[2:]] == [" CONTEXT_CRACKNET", " Mine"]


def test_figure_4_needs_the_augmentation_of_a_run(photographed: Path) -> None:
    source = photographs(photographed)
    for cell in source.results.cells:
        del cell["settings"]["train"]["augment"]
    assert photograph_figures.figure_4(source) is None


def test_images_prepared_after_evaluation_are_not_shown(photographed: Path) -> None:
    folder = photographed / "prepared" / "cfd"
    files.write_json(folder / "card.json", files.read_json(folder / "card.json") | {"content": "other"})
    files.write_checksums(folder)
    assert all(draw(photographs(photographed)) is None for draw in FIGURES)


def test_a_test_split_without_crack_is_left_out_of_the_figures(photographed: Path) -> None:
    source = photographs(photographed)
    source.results.images["skeleton_true"] = 0
    assert photograph_figures.figure_5(source) is None
    assert photograph_figures.figure_8(source) is None
    assert photograph_figures.figure_4(source) is not None


def test_a_figure_drawn_before_is_shown_with_its_caption_once_the_predictions_are_gone(photographed: Path) -> None:
    def values() -> Values:
        found = read(photographed / "results", ["cfd"], MODELS, [0])
        folders = photographed / "prepared", photographed / "runs"
        return Values(found, "pooled", *folders, highlight=MODELS[::-1], kept=photographed / "kept")

    ((path, png), _), text = figure_files(values(), "figure5"), caption(values(), "figure5")
    assert "median IoU" in text[1]
    (photographed / "kept").mkdir()
    (photographed / "kept" / "figure5.png").write_bytes(png)
    (photographed / "runs").rename(photographed / "moved")
    assert figure_files(values(), "figure5") == [(path, png)]
    assert caption(values(), "figure5") == text
    assert figure_files(values(), "figure8") == []
