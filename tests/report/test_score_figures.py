"""Figures of conventions and of few labels: drawn from the results, left out without them."""

import json
import shutil
from pathlib import Path

from bench.formats import files
from bench.ranking.few_labels import FOLDER
from bench.report.context import Values
from bench.report.external import read_all
from bench.report.parts import PARTS
from bench.report.score_figures import conventions, few_labels

DATASETS, MODELS = ["cfd", "gaps"], ["fpn", "unet"]


def values(folder: Path) -> Values:
    results = read_all(folder, DATASETS, MODELS, [0])
    return Values(results, "pooled", folder, folder, few=folder / FOLDER)


def test_conventions_are_drawn_for_the_models_with_all_datasets(workspace):
    folder = workspace(DATASETS, {"fpn": 0.6, "unet": 0.75}) / "results"
    figure = conventions(values(folder))
    assert [line.get_label() for line in figure.axes[0].lines] == ["FPN", "UNET"]
    shutil.rmtree(folder / "scores")
    assert conventions(values(folder)) is None
    assert list(PARTS["convention_tables"](values(folder))) == []


def test_few_labels_are_drawn_if_there_are_folders(workspace):
    folder = workspace(DATASETS, {"fpn": 0.6, "unet": 0.75}) / "results"
    assert few_labels(values(folder)) is None
    assert list(PARTS["few_labels_tables"](values(folder))) == []
    shutil.copytree(folder / "scores", folder / FOLDER / "5" / "scores")
    for path in folder.glob(f"{FOLDER}/5/scores/*/cells.json"):
        content = json.loads(path.read_text())
        for cell in content["cells"]:
            cell["settings"]["prepare"]["train_items"] = 5
        files.write_json(path, content)
        files.write_checksums(path.parent)
    figure = few_labels(values(folder))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["5", "all"]
    assert next(path for path, _ in PARTS["few_labels_tables"](values(folder))) == "tables/few_labels.md"
