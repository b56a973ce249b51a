"""Models scored from predictions (`bench score`) appear in the report, marked, beside models they compare with."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bench.formats import files
from bench.report.context import Values
from bench.report.external import read_all
from bench.report.settings import ReportSettings
from bench.settings import section
from bench.stages import report
from bench.tools import score
from bench.training.settings import TrainSettings
from tests.fixtures import grid as grid_module

DATASETS, MODELS = ["cfd", "gaps"], ["unet", "fpn", "pan"]


@pytest.fixture
def scored(workspace, write_predictions):
    """Return a workspace, and a function that scores a model on a dataset of it."""
    folder = workspace(DATASETS, {"unet": 0.9, "fpn": 0.7, "pan": 0.5})

    def run(model, dataset, quality, train=grid_module.TRAIN):
        data, masks = folder / "prepared" / dataset, folder / "masks" / model / dataset
        write_predictions(masks, data, quality)
        settings = section({"train": train}, "train", TrainSettings)
        score.score_folder(masks, data, folder / "results", model, 0, settings, 4)

    return folder, run


def render(folder, *only):
    folders = report.Folders(folder / "results", folder / "reports", folder / "prepared", folder / "runs")
    return report.run(folders, report.Grid(DATASETS, MODELS, [0]), ReportSettings("pooled"), only)


def page_data(folder):
    page = (folder / "reports" / "index.html").read_text()
    return json.loads(page.split('id="data">')[1].split("</script>")[0])


def test_a_complete_model_of_the_same_protocol_is_listed_with_the_others(scored):
    folder, run = scored
    for dataset in DATASETS:
        run("my_net", dataset, 1.0)
    assert "External models: my_net" in render(folder)
    table = pd.read_csv(folder / "reports" / "tables" / "external.csv")
    assert table[["Dataset", "Comparable"]].to_numpy().tolist() == [["CFD", "yes"], ["GAPs", "yes"]]
    third = pd.read_csv(folder / "reports" / "tables" / "table3.csv")
    own = third[third["Model"] == "my_net (external)"]["Crack IoU (printed: mIoU), measured"]
    assert own.tolist() == table["Crack IoU"].tolist()[:1] == [1.0]
    (board,) = (folder / "reports" / "tables").glob("leaderboard_*.csv")
    assert pd.read_csv(board)["Model"].iloc[0] == "my_net (external)"
    data = page_data(folder)
    assert [m["name"] for m in data["models"] if m["id"] == "my_net"] == ["my_net (external)"]
    assert "my_net" in data["protocols"][0]["models"]
    assert data["batch"] == "4"
    assert ["Trained", "externally, protocol as declared; scored from its predictions"] in data["cells"]["cfd/my_net"][
        "record"
    ]
    assert "my_net" not in json.loads((folder / "reports" / "metrics.json").read_text())  # DVC's: of the pipeline


def test_a_model_that_lacks_a_dataset_is_shown_and_changes_no_rank(scored):
    folder, run = scored
    render(folder, "numbers")
    ranks = (folder / "reports" / "metrics.json").read_text()
    run("half_net", "cfd", 1.0)
    render(folder, "numbers", "critical_difference", "table3", "table4", "page")
    assert (folder / "reports" / "metrics.json").read_text() == ranks
    assert (folder / "reports" / "figures" / "critical_difference.png").is_file()
    tables = {p.name: p.read_text() for p in (folder / "reports" / "tables").glob("*.md")}
    assert "half_net (external)" in tables["table3.md"]
    assert "half_net" not in tables["table4.md"]  # not on GAPs, and not called missing
    assert "half_net" in page_data(folder)["protocols"][0]["models"]
    assert page_data(folder)["protocols"][0]["ranked"]


def test_a_model_of_another_protocol_is_listed_separately(scored):
    folder, run = scored
    for dataset in DATASETS:
        run("other_net", dataset, 1.0, grid_module.TRAIN | {"lr": "1e-3"})
    render(folder, "external", "table3", "page")
    assert set(pd.read_csv(folder / "reports" / "tables" / "external.csv")["Comparable"]) == {"no"}
    assert "other_net" not in (folder / "reports" / "tables" / "table3.md").read_text()
    first, second = page_data(folder)["protocols"][:2]
    assert "other_net" not in first["models"]
    assert second["models"] == ["other_net"]
    results = read_all(folder / "results", DATASETS, MODELS, [0])
    assert Values(results, "pooled", Path(), Path()).shown[1] == MODELS  # figures and ranks


def test_scores_on_other_data_are_left_out_with_a_reason(scored):
    folder, run = scored
    run("old_net", "cfd", 1.0)
    path = folder / "results" / "external" / "old_net" / "cfd" / "cells.json"
    content = files.read_json(path)
    files.write_json(path, content | {"cells": [c | {"data": "0123456789abcdef"} for c in content["cells"]]})
    files.write_checksums(path.parent)
    assert "Left out: old_net was scored on a different version of cfd" in render(folder)
    assert "old_net" not in json.dumps(page_data(folder))
    assert "old_net was scored on a different version" in (folder / "reports" / "tables" / "external.md").read_text()


def test_without_external_models_there_is_no_table_of_them(scored):
    folder, _ = scored
    assert "External models" not in render(folder)
    assert not (folder / "reports" / "tables" / "external.md").exists()
