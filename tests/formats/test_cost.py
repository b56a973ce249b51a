"""Cost: what is written comes back, what is missing is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.formats import cost, files

Record = Callable[..., dict[str, Any]]


def test_what_is_written_comes_back(tmp_path: Path, cost_record: Record) -> None:
    cost.write(tmp_path / "cost" / "unet.json", cost_record())
    assert cost.read(tmp_path / "cost" / "unet.json") == cost_record()


@pytest.mark.parametrize("key", cost.KEYS)
def test_a_record_without_a_key_is_neither_written_nor_read(tmp_path: Path, cost_record: Record, key: str) -> None:
    record = cost_record()
    del record[key]
    path = tmp_path / "unet.json"
    with pytest.raises(ValueError, match=f"cost record lacks .*{key}"):
        cost.write(path, record)
    assert not path.exists()
    files.write_json(path, record)
    with pytest.raises(UserError, match=f"lacks the key '{key}': run `bench measure`") as caught:
        cost.read(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_torn_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "unet.json"
    with pytest.raises(UserError, match=r"unet\.json is missing"):
        cost.read(path)
    path.write_text('{"model": "un')
    with pytest.raises(UserError, match=r"unet\.json is damaged"):
        cost.read(path)
