"""A split is written once, used again as it is, and refused once edited."""

import json
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.formats.split import load_or_create


def fail() -> list[str]:
    raise AssertionError("made again")


def test_written_once_and_used_again(tmp_path: Path) -> None:
    first = load_or_create(tmp_path, "cfd", "random", ["a", "b"], {"seed": 0}, lambda: ["train", "test"])
    assert load_or_create(tmp_path, "cfd", "random", ["a", "b"], {"seed": 0}, fail) == first == ["train", "test"]
    assert load_or_create(tmp_path, "cfd", "random", ["a", "b"], {"seed": 1}, lambda: ["test", "train"])[0] == "test"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_edited_manifest_is_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path, "cfd", "random", ["a", "b"], {"seed": 0}, lambda: ["train", "test"])
    (path,) = tmp_path.iterdir()
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"items": {"a": "test", "b": "train"}}))
    with pytest.raises(UserError, match="was edited or is damaged"):
        load_or_create(tmp_path, "cfd", "random", ["a", "b"], {"seed": 0}, fail)
