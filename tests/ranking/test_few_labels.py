"""Scores by the number of training images: read from folders, checked, and averaged."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import UserError
from bench.formats import files, scores
from bench.ranking.few_labels import FOLDER, few_labels, table
from bench.ranking.results import Results, read

DATASETS, MODELS = ["cfd", "gaps"], ["fpn", "unet"]
Made = tuple[Path, Results]


def change(folder: Path, change_cell: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    """Change the record of every cell in a results folder."""
    for path in folder.glob("scores/*/cells.json"):
        content = json.loads(path.read_text())
        for cell in content["cells"]:
            change_cell(cell)
        files.write_json(path, content)
        files.write_checksums(path.parent)


def keep_seed_0(folder: Path) -> None:
    """Remove the cells of other seeds from the scores of a dataset."""
    found = scores.read(folder)
    rows = (found.images["seed"] == 0).to_numpy()
    kept = {n: getattr(found, n)[getattr(found, n)["seed"] == 0] for n in ("images", "curves", "batches", "history")}
    assert found.histograms is not None
    histograms, cells = found.histograms[rows], [c for c in found.cells if c["seed"] == 0]
    scores.write(folder, replace(found, **kept, histograms=histograms, cells=cells))


@pytest.fixture
def made(workspace: Callable[..., Path]) -> Made:
    """Return a results folder of all training images, with folders of 5 and 20, and what it holds."""
    folder = workspace(DATASETS, {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"
    for number in (20, 5):
        target = folder / FOLDER / str(number)
        shutil.copytree(folder / "scores", target / "scores")
        change(target, lambda cell, n=number: cell["settings"]["prepare"].update(train_items=n))
    return folder, read(folder, DATASETS, MODELS, [0, 1])


def test_numbers_ascend_and_all_is_last(made: Made) -> None:
    few = few_labels(made[1], made[0] / FOLDER)
    assert few is not None
    assert (few.counts, few.datasets, few.models) == ([5, 20, None], DATASETS, MODELS)
    summary = made[1].summary.query("metric == 'crack_iou' and average == 'pooled'")
    expected = summary.groupby("model")["value"].mean()
    for row in few.values:  # the folders are copies
        assert dict(zip(MODELS, row, strict=True)) == pytest.approx(expected.to_dict())
    assert (few.low <= few.values).all()
    assert (few.values <= few.high).all()
    frame = table(few, made[1].names).frame
    assert frame["Training images"].tolist() == ["5", "20", "all"] * 2
    np.testing.assert_allclose(frame["Of all %"], 100)


def test_numbers_with_one_seed_are_named(made: Made) -> None:
    few = few_labels(made[1], made[0] / FOLDER)
    assert few is not None
    assert few.one_seed == []
    for path in (made[0] / FOLDER / "5").glob("scores/*/cells.json"):
        keep_seed_0(path.parent)
    few = few_labels(made[1], made[0] / FOLDER)
    assert few is not None
    assert few.one_seed == [5]
    assert table(few, made[1].names).notes[-1].startswith("One seed with 5 training images: the intervals lack")


def test_without_folders_or_a_model_that_has_all_there_is_nothing(made: Made, tmp_path: Path) -> None:
    assert few_labels(made[1], tmp_path / "missing") is None
    (made[0] / FOLDER / "notes").mkdir()
    change(made[0] / FOLDER / "5", lambda cell: cell.update(model="linknet"))
    assert few_labels(made[1], made[0] / FOLDER) is None


@pytest.mark.parametrize(
    ("section", "key", "said"),
    [
        ("prepare", "train_items", "5: cfd/fpn/0 was trained on 7 images: move it to its own folder"),
        ("train", "epochs", r"5: cfd/fpn/0 differs from the results in train\.epochs: train it again"),
    ],
)
def test_other_settings_are_refused(made: Made, section: str, key: str, said: str) -> None:
    change(made[0] / FOLDER / "5", lambda cell: cell["settings"][section].update({key: 7}))
    with pytest.raises(UserError, match=said):
        few_labels(made[1], made[0] / FOLDER)


def test_other_test_images_are_refused(made: Made) -> None:
    path = made[0] / FOLDER / "5" / "scores" / "gaps" / "images.csv"
    path.write_text(path.read_text().replace("gaps_0", "gaps_x"))
    files.write_checksums(path.parent)
    with pytest.raises(UserError, match="gaps was tested on other images than in the results"):
        few_labels(made[1], made[0] / FOLDER)


def test_settings_added_since_with_their_earlier_value_are_no_difference(made: Made) -> None:
    change(made[0] / FOLDER / "5", lambda cell: cell["settings"]["train"].pop("schedule", None))
    for cell in made[1].cells:
        cell["settings"]["train"]["schedule"] = "plateau"
    assert few_labels(made[1], made[0] / FOLDER) is not None
