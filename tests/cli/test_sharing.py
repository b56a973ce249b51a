"""The commands that write what others can use, as a user types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli.main import main


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_export_card_writes_json_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("export-card", "uav75") == (0, "uav75.croissant.json describes 150 files of uav75.\n")
    assert json.loads((tmp_path / "uav75.croissant.json").read_text())["name"] == "uav75"
    assert run("export-card", "uav75", "--out", "a/b.json")[0] == 0
    assert (tmp_path / "a" / "b.json").is_file()


def test_wrong_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "did you mean 'uav75'" in run("export-card", "uav7")[1]
    code, said = run("export", "runs/none", "--onnx", "net.onnx")
    assert code == 1
    assert "run.json is missing" in said
    assert run("export", "runs/none")[0] == 2
    assert list(tmp_path.iterdir()) == []
