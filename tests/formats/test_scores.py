"""Scores: four files that come back as written, sorted; foreign or torn ones are named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files, scores

FILES = ["cells.json", "histograms.npz", *(f"{name}.csv" for name in scores.TABLES)]

COUNTS = [(1, 2, 3, 4), (5, 6, 7, 8)]


@pytest.fixture
def written(
    tmp_path: Path, score_rows: Callable[..., pd.DataFrame], run_record: Callable[..., Any], history: pd.DataFrame
) -> scores.Scores:
    images = pd.concat([score_rows("cfd", model, 0, COUNTS) for model in ("unet", "pan")], ignore_index=True)
    images["best_f1"] = [0.5, np.nan, 0.25, 1.0]
    images["item"] = ["010", "002", "010", "002"]
    curves = pd.DataFrame({"threshold": range(256), "tp": 1, "fp": 2, "fn": 3, "f1_mean": 0.5})
    cell = {"dataset": "cfd", "model": "unet", "seed": 0}
    made = scores.Scores(
        images.astype({"best_f1": float}),
        curves.assign(**cell)[::-1],
        history.assign(**cell),
        [run_record(), run_record(model="pan")],
        {"dataset": "cfd", "content": "x"},
        [{"dataset": "cfd", "model": "fpn", "seed": 0}],
    )
    scores.write(tmp_path / "cfd", made)
    return made


def test_what_is_written_comes_back_sorted(tmp_path: Path, written: scores.Scores) -> None:
    found = scores.read(tmp_path / "cfd")
    assert (found.cells, found.card, found.missing) == (written.cells, written.card, written.missing)
    assert found.images[["model", "item"]].to_numpy().tolist() == [
        ["pan", "002"],
        ["pan", "010"],
        ["unet", "002"],
        ["unet", "010"],
    ]
    assert list(found.images.columns) == scores.IMAGES
    assert found.images[scores.COUNTS].to_numpy().tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]] * 2
    assert found.images["best_f1"].tolist()[:2] == [1.0, 0.25]
    assert np.isnan(found.images["best_f1"][2])
    assert found.curves["threshold"].tolist() == list(range(256))
    assert found.history["epoch"].tolist() == [1, 2]


def test_the_order_of_the_rows_does_not_change_the_bytes(tmp_path: Path, written: scores.Scores) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "cfd").iterdir()}
    shuffled = scores.Scores(
        written.images[::-1], written.curves[::-1], written.history[::-1], written.cells, written.card, written.missing
    )
    scores.write(tmp_path / "cfd", shuffled)
    assert {path.name: path.read_bytes() for path in (tmp_path / "cfd").iterdir()} == before
    assert sorted(before) == sorted([*FILES, "SHA256SUMS"])


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path: Path, written: scores.Scores, name: str) -> None:
    (tmp_path / "cfd" / name).unlink()
    with pytest.raises(UserError, match="is missing") as caught:
        scores.read(tmp_path / "cfd")
    assert str(tmp_path / "cfd" / name) in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_torn_file_is_named(tmp_path: Path, written: scores.Scores, name: str) -> None:
    path = tmp_path / "cfd" / name
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(UserError, match="is damaged") as caught:
        scores.read(tmp_path / "cfd")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("name", "column"), [("images", "tn"), ("curves", "threshold"), ("history", "val_iou")])
def test_a_lacking_column_is_named(tmp_path: Path, written: scores.Scores, name: str, column: str) -> None:
    path = tmp_path / "cfd" / f"{name}.csv"
    files.write_csv(path, pd.read_csv(path).drop(columns=column))
    with pytest.raises(UserError, match=rf"{name}\.csv lacks the column '{column}'"):
        scores.read(tmp_path / "cfd")


@pytest.mark.parametrize("name", ["images", "curves", "history"])
def test_rows_of_a_foreign_dataset_are_refused(tmp_path: Path, written: scores.Scores, name: str) -> None:
    path = tmp_path / "cfd" / f"{name}.csv"
    frame = pd.read_csv(path)
    frame.loc[0, "dataset"] = "volker"
    files.write_csv(path, frame)
    with pytest.raises(UserError, match=rf"{name}\.csv has rows of another dataset: volker"):
        scores.read(tmp_path / "cfd")


@pytest.mark.parametrize("content", [{}, [], "text"])
def test_a_file_without_a_version_is_refused(tmp_path: Path, written: scores.Scores, content: object) -> None:
    files.write_json(tmp_path / "cfd" / "cells.json", content)
    with pytest.raises(UserError, match=r"cells\.json does not state the version"):
        scores.read(tmp_path / "cfd")


@pytest.mark.parametrize(
    ("folder", "version", "cure"),
    [
        ("scores/cfd", 1, "`dvc repro evaluate@cfd` evaluates the runs again, without training"),
        ("external/my_net/cfd", 1, "`bench score FOLDER --dataset cfd --model my_net`"),
        ("scores/cfd", scores.SCHEMA + 1, "update the program"),
    ],
)
def test_another_version_is_refused_with_file_version_and_hint(
    tmp_path: Path, folder: str, version: int, cure: str
) -> None:
    path = tmp_path / folder / "cells.json"
    files.write_json(path, {"card": {"dataset": "cfd"}, "cells": [], "missing": [], "schema": version})
    with pytest.raises(UserError) as caught:
        scores.read(path.parent)
    assert f"{path} has version {version} of the score format, this program reads version {scores.SCHEMA}" in str(
        caught.value
    )
    assert cure in str(caught.value)


def test_undefined_values_of_later_columns_come_back_as_numbers(tmp_path: Path, written: scores.Scores) -> None:
    undefined = replace(written, images=written.images.assign(hausdorff95_px=np.nan))
    scores.write(tmp_path, undefined)
    read = scores.read(tmp_path).images
    assert read["hausdorff95_px"].dtype == float
    assert read["hausdorff95_px"].isna().all()
