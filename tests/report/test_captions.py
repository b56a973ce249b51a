"""Captions say how the values are averaged, over images and over seeds."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bench.report.context import Values
from bench.report.external import read_all
from bench.report.figures import FIGURES, caption
from bench.report.parts import PARTS
from bench.report.report_tables import all_tables, ranking, transfer_tables


@pytest.fixture
def make(tmp_path, write_grid):
    """Return a function that makes the values of a grid of two models; ``change`` edits the cells."""

    def make(seeds=(0,), change=lambda cells: cells, batch=32):
        write_grid(tmp_path, datasets=["cfd", "gaps"], models=["unet", "fpn"], seeds=seeds)
        found = read_all(tmp_path / "results", ["cfd", "gaps"], ["unet", "fpn"], list(seeds))
        cells = change([c | {"evaluation_batch": batch} for c in found.cells])
        return Values(replace(found, cells=cells), "batch_mean", Path(), Path())

    return make


def make_external(cells):
    """Return the cells as if fpn had been scored from its predictions, with one seed."""
    return [
        c | {"trained": "external"} if c["model"] == "fpn" else c
        for c in cells
        if (c["model"], c["seed"]) != ("fpn", 1)
    ]


@pytest.mark.parametrize("name", ["figure6", "critical_difference", "ranks", "pareto"])
def test_captions_of_figures_name_the_average(make, name):
    assert "(batch mean of 32)" in caption(make(), name)[1]


def test_captions_of_all_figures_are_filled_in(make):
    values = make()
    assert not [name for name in FIGURES if re.search("[{}]", caption(values, name)[1])]


def test_seeds_are_counted_for_the_rows_that_a_caption_heads(make):
    assert make((0, 1)).convention == "batch mean of 32; mean over 2 seeds"
    values = make((0, 1), make_external)
    assert values.convention == "batch mean of 32; mean over the 1 to 2 seeds of each model"
    (table,) = (t for t in all_tables(values) if t.name == "external")
    assert table.caption.endswith("(batch mean of 32).")


def test_the_page_names_datasets_with_photographs_in_common(tmp_path, write_grid):
    write_grid(tmp_path, datasets=["cfd", "forest"], models=["unet"])
    found = read_all(tmp_path / "results", ["cfd", "forest"], ["unet"], [0])
    page = dict(PARTS["page"](Values(found, "batch_mean", Path(), Path())))["index.html"]
    assert "CFD and Forest have source images in common" in str(page)


CRACK = "CFD has several classes: crack is crack or spalling, taken as one, against wall."


def of_several_classes(values):
    """Return the values as if CFD had three classes, of which 3 pixels each were hit, and missed, in every image."""
    cards = {d: card | {"class_names": ["wall", "crack", "spalling"]} for d, card in values.results.cards.items()}
    cards["cfd"]["classes"] = 3
    images = values.results.images[["dataset", "model", "seed", "item", "photo", "batch"]]
    images = images[images["dataset"] == "cfd"]
    parts = [images.assign(**{"class": k, "tp": 3, "fp": 0, "fn": 3}) for k in range(3)]
    return replace(values, results=replace(values.results, cards=cards, classes=pd.concat(parts)))


def test_every_caption_says_which_classes_crack_is(make):
    values = of_several_classes(make())
    tables = [*all_tables(values), *ranking(values), *transfer_tables(values)]
    assert all(CRACK in table.notes for table in tables)
    assert all(CRACK in caption(values, name)[1] for name in FIGURES)
    page = str(dict(PARTS["page"](values))["index.html"])
    assert f'"crack":{{"cfd":"{CRACK}"}}' in page
    assert page.count(CRACK) > len(tables)
    cards = dict(PARTS["cards"](values))
    assert CRACK in cards["cards/cfd_unet_0.md"]
    assert "| spalling | 0.5000 | 0.6667 |" in cards["cards/cfd_unet_0.md"]
    assert "classes" not in cards["cards/gaps_unet_0.md"]
    (table,) = (t for t in tables if t.name == "classes")
    assert table.frame["IoU"].tolist() == [0.5] * 8
    assert dict(PARTS["classes"](values)).keys() >= {"tables/classes.md", "tables/classes.csv"}


def test_one_class_needs_no_such_words(make):
    values = make()
    assert not any("classes:" in note for table in [*all_tables(values), *ranking(values)] for note in table.notes)
    assert not [table for table in all_tables(values) if table.name == "classes"]
    assert not any("several classes" in caption(values, name)[1] for name in FIGURES)
