"""The benchmarks: their page shows what their files hold, what they make up is what the suite reads."""

import importlib
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.ranking import check
from bench.ranking.results import read

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_the_page_is_that_of_the_files() -> None:
    render = runpy.run_path(str(FOLDER / "summary.py"))["render"]
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == render(FOLDER), "run: python benchmarks/summary.py"


def test_the_made_up_scores_are_read_and_pass_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    script = importlib.import_module("check_speed")
    monkeypatch.setattr(script, "SIZES", {"cfd": (4, 3)})
    script.write_scores(tmp_path)
    results = read(tmp_path, ["cfd"], script.MODELS, script.SEEDS)
    assert len(results.cells) == 30
    assert not check.findings(results)


def test_fewer_images_than_a_batch_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    found = CliRunner().invoke(importlib.import_module("train_throughput").main, ["--images", "16", "--batch", "32"])
    assert found.exit_code == 2
    assert "four fifths of --images 16 make no batch of 32: raise --images or lower --batch." in found.output


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train_throughput", ["--models", "unet,unett"], "unknown model 'unett'; did you mean 'unet'?"),
        ("train_throughput", ["--encoder", "resnet50"], "device is 'cuda', but torch finds no CUDA device"),
        ("real_runs", ["x", "--archive", __file__, "--models", "unett"], "unknown model 'unett'; did you mean 'unet'?"),
        (
            "real_runs",
            ["x", "--archive", __file__, "--datasets", "cfdd"],
            "unknown dataset 'cfdd'; did you mean 'cfd'?",
        ),
    ],
)
def test_a_mistake_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, script: str, arguments: list[str], message: str
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    if "CUDA" in message:
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        arguments = [*arguments, "--device", "cuda"]
    found = CliRunner().invoke(importlib.import_module(script).main, arguments)
    assert found.exit_code == 1
    assert found.output.startswith(f"Error: {message}")


def test_an_experiment_says_how_its_tables_are_derived_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    text = importlib.import_module("real_runs").README
    folders = [p.parent for p in (FOLDER.parent / "results" / "experiments").glob("*/params.yaml")]
    assert folders
    for folder in folders:
        assert (folder / "README.md").read_text(encoding="utf-8") == text.format(name=folder.name)
