"""The commands on raw data: their arguments reach the tools, unknown names are refused."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.audit import audit_datasets as audit
from bench.cli.main import main
from bench.tools import add_dataset as add
from bench.tools.reading import Reading

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PARAMS.read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("plugins: null", "plugins: mine"), encoding="utf-8")
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
    monkeypatch.setattr(add, "add_dataset", lambda *given, **flags: calls.append((*given, flags)) or "added")
    arguments = ["add-dataset", str(tmp_path), "--name", "own", "--classes", "3", "--photo", "(.)_.*", "--yes"]
    assert CliRunner().invoke(main, arguments).output == "added\n"
    assert calls[0][:4] == (tmp_path, "own", Reading(classes=3, photo="(.)_.*"), Path("params.yaml"))
    assert calls[0][4] == tmp_path / "mine" / "datasets"
    assert calls[0][5] == {"replace": False, "yes": True}
    more = [
        "--crack",
        "2,3",
        "--classes",
        "0=background, 2=crack,3=sealed crack",
        "--ignore",
        "255",
        "--exif",
        "ignore",
    ]
    CliRunner().invoke(main, [*arguments[:4], *more, "--images", "a/*", "--masks", "b/*", "--replace"])
    assert calls[1][2] == Reading(
        "a/*",
        "b/*",
        ("2", "3"),
        (("0", "background"), ("2", "crack"), ("3", "sealed crack")),
        ("255",),
        "(.*)",
        "ignore",
    )
    assert CliRunner().invoke(main, ["add-dataset", str(tmp_path)]).exit_code == 2  # --name is required


@pytest.mark.parametrize(
    "wrong", [["--crack", "1,"], ["--ignore", ","], ["--classes", "0"], ["--classes", "1=,2=b"], ["--classes", "=a"]]
)
def test_add_dataset_refuses_what_is_no_value(tmp_path: Path, wrong: list[str]) -> None:
    result = CliRunner().invoke(main, ["add-dataset", str(tmp_path), "--name", "own", *wrong])
    assert result.exit_code == 1
    assert wrong[0] in result.output


def test_remove_dataset_hands_on_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(add, "remove_dataset", lambda *given: calls.append(given) or "removed")
    assert CliRunner().invoke(main, ["remove-dataset", "own"]).output == "removed\n"
    assert calls[0][:2] == ("own", Path("params.yaml"))
