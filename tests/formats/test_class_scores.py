"""Counts by class: no file for one class, read back as written, damage and loss refused by name."""

from pathlib import Path

import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import class_scores, files


def counts() -> pd.DataFrame:
    cell = {"dataset": "walls", "model": "unet", "seed": 0, "photo": "p", "batch": 0}
    rows = [{"item": item, "class": k, "tp": 4 + k, "fp": 1, "fn": 2} for item in ("b", "NA") for k in (2, 0, 1)]
    return pd.DataFrame([cell | row for row in rows])


def test_what_is_written_comes_back_sorted(tmp_path: Path) -> None:
    class_scores.write(tmp_path, counts())
    files.write_checksums(tmp_path)
    found = class_scores.read(tmp_path)
    assert found[["item", "class", "tp"]].to_numpy().tolist() == [
        ["NA", 0, 4], ["NA", 1, 5], ["NA", 2, 6], ["b", 0, 4], ["b", 1, 5], ["b", 2, 6],
    ]  # fmt: skip
    assert list(found.columns) == class_scores.COLUMNS


def test_without_rows_there_is_no_file_and_an_earlier_one_goes(tmp_path: Path) -> None:
    class_scores.write(tmp_path, counts())
    class_scores.write(tmp_path, counts()[:0])
    assert not list(tmp_path.iterdir())
    assert class_scores.read(tmp_path).empty
    assert list(class_scores.read(tmp_path).columns) == class_scores.COLUMNS


def test_a_lost_or_damaged_file_is_named(tmp_path: Path) -> None:
    class_scores.write(tmp_path, counts())
    files.write_checksums(tmp_path)
    path = tmp_path / "classes.csv"
    content = path.read_text()
    path.write_text(content.replace("4", "5"))
    with pytest.raises(UserError, match=r"classes.csv is damaged"):
        class_scores.read(tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=r"classes.csv is missing"):
        class_scores.read(tmp_path)
