"""A run: record and history come back, what is missing is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files, run

Record = Callable[..., dict[str, Any]]


def test_what_is_written_comes_back(tmp_path: Path, run_record: Record, history: pd.DataFrame) -> None:
    run.write(tmp_path / "new", run_record(), history.assign(more=1))
    record, curve = run.read(tmp_path / "new")
    assert record == run_record()
    pd.testing.assert_frame_equal(curve, history)


@pytest.mark.parametrize("key", run.RECORD)
def test_a_record_without_a_key_is_not_written(
    tmp_path: Path, run_record: Record, history: pd.DataFrame, key: str
) -> None:
    record = run_record()
    del record[key]
    with pytest.raises(ValueError, match=f"run record lacks .*{key}"):
        run.write(tmp_path / "new", record, history)
    assert not (tmp_path / "new").exists()


def test_a_record_that_lacks_a_key_is_named(tmp_path: Path, run_record: Record, history: pd.DataFrame) -> None:
    run.write(tmp_path, run_record(), history)
    record = run_record()
    del record["protocol"]
    files.write_json(tmp_path / "run.json", record)
    with pytest.raises(UserError, match=r"run\.json lacks the key 'protocol': train this cell again"):
        run.read(tmp_path)


@pytest.mark.parametrize("name", ["run.json", "history.csv"])
def test_a_missing_or_torn_file_is_named(tmp_path: Path, run_record: Record, history: pd.DataFrame, name: str) -> None:
    run.write(tmp_path, run_record(), history)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="is damaged") as caught:
        run.read(tmp_path)
    assert str(path) in str(caught.value)
    path.unlink()
    with pytest.raises(UserError, match="is missing") as caught:
        run.read(tmp_path)
    assert str(path) in str(caught.value)
