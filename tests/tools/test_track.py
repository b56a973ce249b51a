"""The program still computes the scores of the track's version: its reference cell, trained again, has its score."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli.main import main
from bench.formats import scores
from bench.settings import load_params
from bench.tools.track import TOLERANCE, VERSION

TRACK = Path(__file__).parents[2] / "results" / "open"
REFERENCE = TRACK / "reference"
SHORTER = {"epochs", "epoch_items", "threads", "workers"}
"""Settings of the training that the reference cell has of its own."""


def crack_iou(folder: Path) -> float:
    sums = scores.read(folder).images[["tp", "fp", "fn"]].sum()
    return float(sums["tp"] / sums.sum())


def test_the_reference_cell_has_its_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps = """
        download downloads
        prepare downloads/volker prepared --dataset volker
        train prepared runs/pspnet/0 --model pspnet
        evaluate prepared runs scores --dataset volker
    """
    for step in steps.strip().splitlines():
        done = CliRunner().invoke(main, ["--params", str(REFERENCE / "params.yaml"), *step.split()])
        assert done.exit_code == 0, done.output
    committed = REFERENCE / "scores" / "volker"
    assert scores.read(tmp_path / "scores").card["counts"] == scores.read(committed).card["counts"]
    assert crack_iou(tmp_path / "scores") == pytest.approx(crack_iou(committed), abs=TOLERANCE), (
        "the track's cells would have other scores now: if that is wanted, raise VERSION in bench/tools/track.py and "
        "track_version in results/open/params.yaml, and train them and the reference cell again"
    )


def test_the_reference_cell_has_the_settings_of_the_track() -> None:
    track, reference = (load_params(folder / "params.yaml") for folder in (TRACK, REFERENCE))
    assert track["prepare"] == reference["prepare"]
    assert {k for k, v in track["train"].items() if v != reference["train"][k]} <= SHORTER
    assert track["track_version"] == reference["track_version"] == VERSION
