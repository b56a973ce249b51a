"""The commands on raw data: their arguments reach the tools, unknown names are refused."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.audit import audit_datasets as audit
from bench.cli.main import main
from bench.tools import add_dataset as add

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(PARAMS, tmp_path)
    monkeypatch.chdir(tmp_path)


def test_audit_takes_each_named_dataset_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(audit, "audit_datasets", lambda *arguments: calls.append(arguments) or "done")
    result = CliRunner().invoke(main, ["audit", "cfd", "gaps", "cfd", "--data", "raw", "--out", "found"])
    assert (result.exit_code, result.output) == (0, "done\n")
    assert calls[0][:3] == (Path("raw"), Path("found"), ["cfd", "gaps"])


@pytest.mark.parametrize("arguments", [[], ["--all"], ["cfd", "--all"]])
def test_audit_takes_all_datasets_of_the_settings(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(audit, "audit_datasets", lambda *given: calls.append(given) or "done")
    assert CliRunner().invoke(main, ["audit", *arguments]).exit_code == 0
    assert len(calls[0][2]) == 10


def test_audit_refuses_an_unknown_dataset() -> None:
    result = CliRunner().invoke(main, ["audit", "cfdd"])
    assert result.exit_code == 1
    assert "'cfdd'" in result.output
    assert "cfd" in result.output


def test_add_dataset_hands_on_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(add, "add_dataset", lambda *given: calls.append(given) or "added")
    arguments = ["add-dataset", str(tmp_path), "--name", "own", "--classes", "3", "--photo", "(.)_.*"]
    assert CliRunner().invoke(main, arguments).output == "added\n"
    assert calls[0][:5] == (tmp_path, "own", 3, "(.)_.*", Path("params.yaml"))
    assert calls[0][5].name == "datasets"
    assert CliRunner().invoke(main, ["add-dataset", str(tmp_path)]).exit_code == 2  # --name is required
