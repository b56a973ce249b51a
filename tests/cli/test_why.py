"""The command that explains why one number is not another, as a user types it."""

import json
from pathlib import Path

from click.testing import CliRunner

from bench.cli.main import main

RESULTS = Path(__file__).parents[2] / "results"


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["why", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_the_answer_follows_the_tables() -> None:
    code, out, _ = run(f"{RESULTS}/open:uav75/unet", f"{RESULTS}/open:uav75/fpn", "--images", 2, "--metric", "dice")
    assert code == 0
    assert out.startswith("Dice, pooled")
    assert out.rstrip().endswith("First difference, model: unet against fpn.")


def test_json_goes_to_stdout_alone() -> None:
    code, out, err = run(f"{RESULTS}/open:uav75/unet", f"{RESULTS}/open/scratch", "--format", "json")
    assert code == 0
    assert {"gaps", "differences", "images"} == set(json.loads(out))
    assert len(json.loads(out)["images"]) == 10
    assert "First difference, settings: weights" in err
    assert "In both: 1 of the 1 scores of A and 9 of B." in err


def test_wrong_arguments_are_refused_in_one_line() -> None:
    code, _, err = run("nowhere", f"{RESULTS}/open")
    assert code == 1
    assert err.startswith("Error: nowhere not found")
    assert run(f"{RESULTS}/open", f"{RESULTS}/open", "--metric", "cl_dice")[0] == 2


def test_synthetic_scores_are_marked(write_grid, tmp_path: Path) -> None:
    folder = write_grid(tmp_path, source="sample")
    code, out, _ = run(f"{folder}/results:cfd/unet", f"{folder}/results:cfd/unetplusplus")
    assert code == 0
    assert out.startswith("SAMPLE")
