"""The commands of the stages: each calls its stage with its own section of the settings."""

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.cli.main import main
from bench.settings import load_params
from bench.stages.report import Folders

PARAMS = Path(__file__).parents[2] / "params.yaml"
LINES = {
    "download": ["--archives", "a"],
    "prepare": ["raw", "out", "--dataset", "cfd"],
    "train": ["in", "out", "--model", "unet", "--seed", "3"],
    "evaluate": ["in", "runs", "out", "--dataset", "cfd"],
    "measure": ["cost.json", "--model", "unet"],
    "report": ["results", "out", "--only", "table3"],
}


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(PARAMS, tmp_path)
    monkeypatch.chdir(tmp_path)


def call(stage: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """Return the arguments that the stage is called with."""
    calls: list[tuple[Any, ...]] = []
    module = import_module(f"bench.stages.{stage}")
    monkeypatch.setattr(module, "run", lambda *arguments, **_: calls.append(arguments))
    result = CliRunner().invoke(main, [stage, *LINES[stage]])
    assert result.exit_code == 0, result.output
    assert len(calls) == 1
    settings = getattr(module, f"{stage.capitalize()}Settings")
    assert sum(isinstance(argument, settings) for argument in calls[0]) == 1
    return calls[0]


def test_each_stage_gets_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("download", monkeypatch)[0] == Path("downloads")
    assert call("prepare", monkeypatch)[:3] == (Path("raw"), Path("out"), "cfd")
    assert call("train", monkeypatch)[:4] == (Path("in"), Path("out"), "unet", 3)
    assert call("evaluate", monkeypatch)[:4] == (Path("in"), Path("runs"), Path("out"), "cfd")
    assert call("measure", monkeypatch)[:2] == (Path("cost.json"), "unet")
    folders, grid, *_ = call("report", monkeypatch)
    assert folders == Folders(Path("results"), Path("out"), Path("prepared"), Path("runs"))
    params = load_params(PARAMS)
    assert (list(grid.datasets), list(grid.models), list(grid.seeds)) == (
        params["datasets"],
        params["models"],
        params["seeds"],
    )


def test_failed_downloads_are_told_on_stderr_with_exit_status_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.stages.download.run", lambda *_: ["cfd: no link works"])
    result = CliRunner().invoke(main, ["download"])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "cfd: no link works" in result.stderr


@pytest.mark.parametrize("stage", ["prepare", "train", "evaluate", "measure"])
def test_required_arguments_are_named(stage: str) -> None:
    result = CliRunner().invoke(main, [stage])
    assert result.exit_code == 2
    assert "Missing argument" in result.output
