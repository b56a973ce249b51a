"""The benchmarks: their page matches their files, and their synthetic data can be read by the suite."""

import importlib
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.ranking import check
from bench.ranking.results import read

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_the_page_matches_the_files() -> None:
    render = runpy.run_path(str(FOLDER / "summary.py"))["render"]
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == render(FOLDER), "run: python benchmarks/summary.py"


def test_the_synthetic_scores_pass_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    script = importlib.import_module("check_speed")
    monkeypatch.setattr(script, "SIZES", {"cfd": (4, 3)})
    script.write_scores(tmp_path)
    results = read(tmp_path, ["cfd"], script.MODELS, script.SEEDS)
    assert len(results.cells) == 30
    assert not check.findings(results)


def test_fewer_images_than_a_batch_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    result = CliRunner().invoke(importlib.import_module("train_throughput").main, ["--images", "16", "--batch", "32"])
    assert result.exit_code == 2
    assert "four fifths of --images 16 are fewer than a batch of 32: raise --images or lower --batch." in result.output


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train_throughput", ["--models", "unet,unett"], "unknown model 'unett'; did you mean 'unet'?"),
        ("train_throughput", ["--device", "cuda"], "device is 'cuda', but torch finds no CUDA device"),
        ("memory", ["--models", "unett", "--dry-run"], "unknown model 'unett'; did you mean 'unet'?"),
        ("memory", ["--device", "cuda"], "device is 'cuda', but torch finds no CUDA device"),
        ("on_gpu", ["x"], "device is 'cuda', but torch finds no CUDA device"),
        ("real_runs", ["x", "--archive", __file__, "--models", "unett"], "unknown model 'unett'; did you mean 'unet'?"),
        (
            "real_runs",
            ["x", "--archive", __file__, "--datasets", "cfdd"],
            "unknown dataset 'cfdd'; did you mean 'cfd'?",
        ),
    ],
)
def test_a_user_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, script: str, arguments: list[str], message: str
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = CliRunner().invoke(importlib.import_module(script).main, arguments)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {message}")


def test_an_experiment_states_how_to_regenerate_its_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    text = importlib.import_module("real_runs").README
    folders = [p.parent for p in (FOLDER.parent / "results" / "experiments").glob("*/params.yaml")]
    assert folders
    for folder in folders:
        assert (folder / "README.md").read_text(encoding="utf-8") == text.format(name=folder.name)
