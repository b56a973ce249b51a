"""The commands that help to get started."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import plugins
from bench.cli.main import main
from bench.tools import demo, doctor

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.mark.parametrize("kind", ["datasets", "models", "metrics"])
def test_list_gives_each_id_with_its_name_in_one_column(kind: str) -> None:
    lines = CliRunner().invoke(main, ["list", kind]).output.splitlines()
    assert [line.split()[0] for line in lines] == plugins.names(kind)
    assert [line.split(None, 1)[1] for line in lines] == [plugins.title(kind, name) for name in plugins.names(kind)]
    assert len({line.index(line.split(None, 1)[1]) for line in lines}) <= 2  # an id may be the start of its name


def test_list_refuses_another_kind() -> None:
    assert CliRunner().invoke(main, ["list", "colours"]).exit_code == 2


def test_protocol_switches_the_settings_file(tmp_path: Path) -> None:
    path = Path(shutil.copy(PARAMS, tmp_path))
    before = path.read_text()
    assert CliRunner().invoke(main, ["--params", str(path), "protocol", "strict"]).exit_code == 0
    assert "select_on: validation" in path.read_text()
    assert CliRunner().invoke(main, ["--params", str(path), "protocol", "paper"]).exit_code == 0
    assert path.read_text() == before
    assert CliRunner().invoke(main, ["--params", str(path), "protocol", "loose"]).exit_code == 2


def test_doctor_prints_a_line_for_each_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("torch", "2.11", ""), ("GPU", "", "install a driver")]
    monkeypatch.setattr(doctor, "environment", lambda _: rows)
    lines = CliRunner().invoke(main, ["doctor"]).output.splitlines()
    assert lines[0].split() == ["torch", "2.11"]
    assert lines[1].split() == ["GPU", "missing", "install", "a", "driver"]


def test_demo_runs_in_the_named_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(demo, "run_demo", lambda *given: calls.append(given) or "shown")
    path = Path(shutil.copy(PARAMS, tmp_path))
    assert CliRunner().invoke(main, ["--params", str(path), "demo", "there"]).output == "shown\n"
    assert calls[0][:2] == (tmp_path, Path("there"))
