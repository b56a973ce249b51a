"""The views of the leaderboard: each takes only the options that apply to it."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bench.cli.main import main


@pytest.fixture
def grid_folder(tmp_path: Path, write_grid: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_grid(tmp_path, datasets=["cfd"], models=["unet", "fpn"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leaderboard(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["leaderboard", *arguments])


def test_what_models_have_seen(grid_folder: Path) -> None:
    shown = leaderboard("--seen")
    assert shown.exit_code == 0, shown.output
    assert "What models have seen of the test images" in shown.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seen", "--metric", "dice"], "--metric does not apply to --seen, which shows pooled crack IoU"),
        (["--seen", "--dataset", "cfd"], "--dataset does not apply to --seen"),
        (["--abroad", "--average", "pooled"], "--average does not apply to --abroad"),
        (["--dataset", "moon"], "no dataset 'moon' in params.yaml"),
    ],
)
def test_options_that_do_not_apply_are_named(grid_folder: Path, options: list[str], message: str) -> None:
    refused = leaderboard(*options)
    assert refused.exit_code == 1
    assert message in refused.output
