"""Every fault that makes results unfit for ranking is found, and named."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files
from bench.ranking import check
from bench.ranking.results import read

MODELS = {"fpn": 0.6, "unet": 0.75}
DATASETS = ["cfd", "forest"]


@pytest.fixture
def folder(workspace):
    return workspace(DATASETS, MODELS) / "results"


def faults(folder, printed=None):
    return check.findings(read(folder, DATASETS, list(MODELS), [0], mixed=True), printed)


def change_rows(folder, name, change):
    path = folder / "scores" / "cfd" / f"{name}.csv"
    frame = pd.read_csv(path, dtype={"photo": str})
    changed = change(frame)
    files.write_csv(path, frame if changed is None else changed)
    files.write_checksums(path.parent)


def change_cells(folder, change):
    path = folder / "scores" / "cfd" / "cells.json"
    content = json.loads(path.read_text())
    change(content)
    files.write_json(path, content)
    files.write_checksums(path.parent)


def test_sound_results_pass(folder):
    assert faults(folder) == []
    check.require(read(folder, DATASETS, list(MODELS), [0]))


def test_a_cell_that_was_not_run_is_named(folder):
    found = read(folder, DATASETS, [*MODELS, "pan"], [0, 1], mixed=True)
    assert "cfd/pan/0 is missing." in check.findings(found)
    assert "forest/unet/1 is missing." in check.findings(found)
    assert "cfd: all 3 cells are missing." in check.findings(read(folder, ["cfd"], ["pan"], [0, 1, 2], mixed=True))
    with pytest.raises(UserError, match=r"cannot be ranked.*and 3 more.*or shorten datasets, models"):
        check.require(found)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("tp", 9999, "tp + fp + fn + tn is not the number of pixels"),
        ("tn", -1, "a count is negative"),
        ("pred_hit_2px", 10**6, "pred_hit_2px is more than pred"),
        ("skeleton_true_hit", 10**6, "skeleton_true_hit is more than skeleton_true"),
        ("aiu", 1.5, "aiu is not within 0 to 1"),
    ],
)
def test_an_impossible_number_is_named_with_its_image(folder, column, value, said):
    change_rows(folder, "images", lambda frame: frame.__setitem__(column, frame[column].where(frame.index != 3, value)))
    assert any(said in fault and "cfd/fpn/0, cfd_3" in fault for fault in faults(folder))


def test_another_truth_for_one_model_is_found(folder):
    def move(frame):
        frame.loc[0, ["tp", "fp"]] += [1, -1]

    change_rows(folder, "images", move)
    assert any("the true mask, source image or batch of cfd_0 is not the same" in fault for fault in faults(folder))


def test_a_curve_that_does_not_fit_is_found(folder):
    change_rows(folder, "curves", lambda frame: frame.__setitem__("tp", frame["tp"] + (frame["threshold"] == 128)))
    assert "cfd/unet/0: the curve at p = 0.5 is not the sum of its images." in faults(folder)


def test_an_item_twice_or_gone_is_found(folder):
    change_rows(folder, "images", lambda frame: frame.__setitem__("item", frame["item"].replace("cfd_1", "cfd_0")))
    assert any("holds cfd_0 twice" in fault for fault in faults(folder))
    change_rows(folder, "images", lambda frame: frame.drop(index=0))
    path = folder / "scores" / "cfd" / "histograms.npz"
    with np.load(path) as content:
        histograms = content["histograms"]
    np.savez_compressed(path, histograms=histograms[1:])
    files.write_checksums(path.parent)
    assert any("cfd/fpn/0 has 5 images, but its dataset has 6 test images." in fault for fault in faults(folder))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("protocol", "other", "follow 2 protocols"),
        ("data", "other", "was trained on a different version of cfd"),
        ("program", "other", "2 versions of the program"),
        ("versions", {}, "does not record its environment"),
    ],
)
def test_a_record_that_does_not_fit_is_found(folder, key, value, said):
    change_cells(folder, lambda content: content["cells"][0].__setitem__(key, value))
    assert any(said in fault for fault in faults(folder))


def test_evaluation_batches_of_several_sizes_are_found(folder):
    change_cells(folder, lambda content: content["cells"][0].__setitem__("evaluation_batch", 32))
    assert faults(folder) == []  # older scores do not record it
    assert read(folder, DATASETS, list(MODELS), [0]).spelled("batch_mean") == "batch mean of 32"
    change_cells(folder, lambda content: content["cells"][1].__setitem__("evaluation_batch", 8))
    assert any("evaluated in batches of 32 (1 cells), 8 (1 cells) images" in fault for fault in faults(folder))


def test_a_cell_twice_is_found(folder):
    change_cells(folder, lambda content: content["cells"].append(content["cells"][0]))
    assert any("cfd/fpn/0 is present 2 times" in fault for fault in faults(folder))


def test_a_printed_number_that_the_counts_do_not_give_is_found(folder, tmp_path):
    summary = read(folder, DATASETS, list(MODELS), [0]).summary
    files.write_csv(tmp_path / "summary.csv", summary)
    assert faults(folder, tmp_path / "summary.csv") == []
    summary.loc[0, "value"] += 1e-4
    files.write_csv(tmp_path / "summary.csv", summary)
    assert any("but the counts give" in fault for fault in faults(folder, tmp_path / "summary.csv"))


def test_histograms_that_do_not_fit_the_counts_are_found(folder):
    path = folder / "scores" / "cfd" / "histograms.npz"
    with np.load(path) as content:
        histograms = content["histograms"]
    histograms[0, 0, [0, 255]] += np.array([1, -1], np.int64).astype(np.uint32)
    np.savez_compressed(path, histograms=np.roll(histograms, 1, axis=0))
    files.write_checksums(path.parent)
    assert any("the histogram does not reproduce tp, fp and fn" in fault for fault in faults(folder))


def test_costs_of_another_input_or_machine_are_noted(folder):
    found = read(folder, DATASETS, list(MODELS), [0])
    alike = {"encoder": "resnet18", "image_size": 32, "device": "cpu", "threads": 2}
    for cell in found.cells:
        cell["settings"] = {"train": {"encoder": "resnet18"}, "prepare": {"image_size": 32}}
    costs = {m: c | alike for m, c in found.costs.items()}
    assert check.cost_notes(replace(found, costs=costs)) == []
    costs |= {"fpn": costs["fpn"] | {"image_size": 448, "device": "gpu"}}
    first, second = check.cost_notes(replace(found, costs=costs))
    assert "cost of fpn is for resnet18 at 448 px" in first
    assert "2 machines and do not compare: cpu (2 threads), gpu (2 threads)" in second
    assert first in check.notes(replace(found, costs=costs))


def test_an_empty_report_lacks_every_number(folder, tmp_path):
    (tmp_path / "summary.csv").write_text("dataset,model,seed,metric,average,value\n", encoding="utf-8")
    assert any("is nan, but the counts give" in fault for fault in faults(folder, tmp_path / "summary.csv"))
