"""An unfinished grid is shown as far as it is: means over common datasets only, counts of cells, and no rank."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.ranking.partial import partial_table
from bench.ranking.results import Results, read
from bench.ranking.standings import Query

QUERY = Query("crack_iou", "pooled")
MODELS = ["unet", "fpn", "pan"]


@pytest.fixture
def unfinished(tmp_path: Path, write_grid) -> Results:
    """Return a grid in which pan was not trained at all and fpn lacks GAPs with seed 1."""
    write_grid(tmp_path, datasets=["cfd", "gaps"], models=MODELS, seeds=(0, 1))
    found = read(tmp_path / "results", ["cfd", "gaps"], MODELS, [0, 1])
    gone = [("cfd", "pan", 0), ("cfd", "pan", 1), ("gaps", "pan", 0), ("gaps", "pan", 1), ("gaps", "fpn", 1)]

    def kept(frame):
        keys = zip(frame["dataset"], frame["model"], frame["seed"], strict=True)
        return frame[[key not in gone for key in keys]]

    rows = zip(found.images["dataset"], found.images["model"], found.images["seed"], strict=True)
    histograms = found.histograms[[key not in gone for key in rows]]
    frames = {name: kept(getattr(found, name)) for name in ("summary", "images", "curves", "history")}
    cells = [c for c in found.cells if (c["dataset"], c["model"], c["seed"]) not in gone]
    missing = ["/".join(map(str, key)) for key in gone]
    return replace(found, **frames, cells=cells, missing=missing, histograms=histograms)


def test_scores_so_far_are_shown_with_the_number_of_cells_and_what_is_missing(unfinished: Results) -> None:
    table = partial_table(unfinished, QUERY)
    assert table.caption.startswith("UNFINISHED: 7 of 12 cells.")
    rows = table.frame.set_index("Model")
    assert rows["Cells"].to_dict() == {"UNet": "4 of 4", "FPN": "3 of 4"}
    summary = unfinished.summary.query("metric == 'crack_iou' and average == 'pooled' and model == 'fpn'")
    expected = summary.groupby("dataset")["value"].mean()
    assert rows.loc["FPN", "GAPs"] == pytest.approx(expected["gaps"])
    assert rows.loc["FPN", "Mean"] == pytest.approx(expected.mean())
    assert "No cell yet: PAN." in table.notes


def test_a_mean_is_over_the_datasets_that_all_models_have(unfinished: Results) -> None:
    summary = unfinished.summary
    fewer = replace(unfinished, summary=summary[(summary["model"] != "fpn") | (summary["dataset"] != "gaps")])
    table = partial_table(fewer, QUERY)
    rows = table.frame.set_index("Model")
    assert rows["Mean"].tolist() == rows["CFD"].tolist()
    assert rows["Mean"].tolist() == sorted(rows["Mean"], reverse=True)
    assert "the datasets that all these models have: CFD." in table.notes[0]


def test_faults_other_than_missing_cells_are_refused(unfinished: Results) -> None:
    images = unfinished.images.copy()
    images.iloc[0, images.columns.get_loc("tp")] = -5
    with pytest.raises(UserError, match="cannot be shown"):
        partial_table(replace(unfinished, images=images), QUERY)
