"""An entry trains its own cells only, stands beside the committed rows, and is refused with other data."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bench.cli.main import main

ROOT = Path(__file__).parents[2]
SMALL = {
    "datasets": ["cfd", "gaps"],
    "models": ["pspnet"],
    "seeds": [0],
    "track_version": 1,
    "download": {"source": "sample", "mirrors": [], "sample": {"images": 8, "size": 64, "seed": 0}},
}


MODEL = '''"""A 1x1 convolution."""

NAME = "MyNet"


def build(channels, classes, image_size, encoder, weights):
    from torch import nn

    return nn.Conv2d(channels, classes, 1)
'''


def bench(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def done(*arguments: str) -> str:
    found = bench(*arguments)
    assert found.exit_code == 0, f"{found.output}\n{found.exception!r}"
    return found.output


@pytest.fixture
def track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a track of two synthetic datasets with one trained model, made by the pipeline's own commands."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "open"
    folder.mkdir(parents=True)
    params: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text()) | SMALL
    params["prepare"] |= {"image_size": 32, "geometry": "tiles", "validation_share": 0.3, "mask_threshold": 127}
    params["train"] |= {"encoder": "resnet18", "weights": None, "epochs": 1, "batch": 4, "epoch_items": 8}
    params["train"] |= {"select_on": "validation"}
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(params))
    settings = ["--params", str(path)]
    done(*settings, "download", "first/downloads")
    for dataset in SMALL["datasets"]:
        prepared, runs = f"first/prepared/{dataset}", f"first/runs/{dataset}"
        splits = ["--splits", str(folder / "splits")]
        done(*settings, "prepare", f"first/downloads/{dataset}", prepared, "--dataset", dataset, *splits)
        done(*settings, "train", prepared, f"{runs}/pspnet/0", "--model", "pspnet")
        done(*settings, "evaluate", prepared, runs, str(folder / "scores" / dataset), "--dataset", dataset)
    return folder


def test_a_model_enters_and_the_others_are_left_alone(track: Path, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in (track / "scores").rglob("*") if p.is_file()}
    output = done("enter", "fpn", "--datasets", "cfd")
    assert "1 training of fpn, about 1 min at" in output
    assert "FPN" in output
    assert "PSPNet" in output
    cells = json.loads((track / "external" / "fpn" / "cfd" / "cells.json").read_text())["cells"]
    assert [(c["dataset"], c["model"], c["seed"], c["trained"]) for c in cells] == [("cfd", "fpn", 0, "entered")]
    assert (tmp_path / "entry" / "report" / "index.html").is_file()
    assert {p: p.read_bytes() for p in (track / "scores").rglob("*") if p.is_file()} == before
    run = tmp_path / "entry" / "runs" / "cfd" / "fpn" / "0" / "run.json"
    trained = run.stat().st_mtime_ns
    output = done("enter", "fpn")  # the other dataset is added, the first is not trained again
    assert "1 training of fpn" in output
    assert run.stat().st_mtime_ns == trained
    assert (track / "external" / "fpn" / "gaps" / "cells.json").is_file()
    assert "0 findings" in done("--params", str(track / "params.yaml"), "check", "--results", str(track))
    record = json.loads((track / "external" / "fpn" / "entry.json").read_text())
    assert (record["model"], record["trained"], sorted(record["scores"])) == ("fpn", "entered", ["cfd", "gaps"])
    assert record["lock_sha256"] == hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()
    assert "0 findings" in done("check", str(track / "external" / "fpn"))
    with (track / "params.yaml").open("a") as file:
        file.write("# edited\n")
    assert "was entered with another params.yaml" in bench("check", str(track / "external" / "fpn")).output


def test_a_model_of_the_track_is_trained_again_and_compared(track: Path) -> None:
    output = done("enter", "pspnet", "--datasets", "gaps")
    assert "gaps seed 0" in output
    assert "inside the band" in output
    assert not (track / "external").exists()


def test_other_data_are_refused(track: Path, tmp_path: Path) -> None:
    params = yaml.safe_load((track / "params.yaml").read_text())
    params["download"]["sample"]["seed"] = 1  # other images
    (track / "params.yaml").write_text(yaml.safe_dump(params))
    found = bench("enter", "fpn", "--datasets", "cfd")
    assert found.exit_code == 1
    assert "the source files differ from the open track's" in found.output
    assert not (tmp_path / "entry" / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fpnn"], "did you mean 'fpn'"),
        (["fpn", "--datasets", "cfd,moon"], "no dataset moon: choose from cfd, gaps"),
        (["fpn", "--seeds", "7"], "no seed 7: choose from 0"),
        (["fpn", "--seeds", "x"], "give whole numbers"),
        (["my_net.onnx", "--name", "unet"], "that no model of this suite has"),
        (["missing.onnx"], "missing.onnx not found"),
        (["missing.py"], "missing.py not found: give an existing file"),
        (["fpn.py"], "fpn.py: choose a name of at most 100 letters"),
    ],
)
def test_what_cannot_be_entered_is_named(track: Path, arguments: list[str], message: str) -> None:
    found = bench("enter", *arguments)
    assert found.exit_code == 1
    assert message in found.output


def test_another_version_of_the_track_is_refused_by_name(track: Path) -> None:
    params = yaml.safe_load((track / "params.yaml").read_text())
    (track / "params.yaml").write_text(yaml.safe_dump(params | {"track_version": 7}))
    found = bench("enter", "fpn")
    assert found.exit_code == 1
    assert "is version 7 of the open track, this program enters version 1" in found.output


def test_an_entry_of_another_version_is_not_mixed_with_a_new_one(track: Path) -> None:
    earlier = track / "external" / "fpn" / "cfd" / "cells.json"
    earlier.parent.mkdir(parents=True)
    earlier.write_text(json.dumps({"cells": [{"track_version": 0}]}))
    found = bench("enter", "fpn", "--datasets", "gaps")
    assert found.exit_code == 1
    assert "was entered into version 0 of the open track, this is version 1" in found.output


@pytest.mark.slow
def test_a_folder_of_predictions_is_entered(track: Path, tmp_path: Path) -> None:
    done("enter", "fpn", "--datasets", "cfd")
    maps = tmp_path / "maps" / "cfd"
    maps.parent.mkdir()
    (tmp_path / "entry" / "runs" / "cfd" / "fpn" / "0" / "probabilities").rename(maps)
    assert "mine" in done("enter", "maps", "--name", "mine", "--datasets", "cfd")
    scored, trained = (
        (track / "external" / model / "cfd" / "curves.csv").read_text().replace(model, "") for model in ("mine", "fpn")
    )
    assert scored == trained
    assert bench("leaderboard", "--results", str(track)).output.count("Trained on some of the test images") == 0
    own = ["--seen-folder", str(tmp_path / "entry" / "downloads" / "cfd" / "images")]
    done("enter", "maps", "--name", "mine", "--datasets", "cfd", *own)
    done("enter", "maps", "--name", "mine", "--datasets", "cfd")  # what was stated stays
    output = done("--params", str(track / "params.yaml"), "leaderboard", "--results", str(track), "--seen")
    (row,) = [line for line in output.splitlines() if "own images" in line]
    assert row.split()[1:5] == ["CFD", "8", "own", "images"]
    assert "1.000" in row


@pytest.mark.slow
def test_a_model_file_that_lies_anywhere_is_entered(track: Path, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "my-net.py"
    file.parent.mkdir()
    file.write_text(MODEL)
    assert "MyNet" in done("enter", str(file), "--datasets", "cfd")
    (cell,) = json.loads((track / "external" / "my_net" / "cfd" / "cells.json").read_text())["cells"]
    assert (cell["model"], cell["trained"], cell["track_version"]) == ("my_net", "entered", 1)
    assert "1 training of" not in done("enter", str(file), "--datasets", "cfd")
    file.write_text(MODEL.replace("1x1", "3x3"))
    output = subprocess.run(  # another process, which has not imported the model before
        [sys.executable, "-m", "bench", "enter", str(file), "--datasets", "cfd"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "1 training of my_net" in output


def test_a_cell_that_fails_does_not_stop_the_others(track: Path, tmp_path: Path) -> None:
    file = tmp_path / "fragile.py"
    once = "    CALLS.append(1)\n    if len(CALLS) == 2:\n        raise ValueError('no')\n    return"
    file.write_text(MODEL.replace("    return", once).replace('NAME = "MyNet"', 'NAME, CALLS = "MyNet", []'))
    output = done("enter", str(file))
    assert "failed: cfd/fragile/0: model 'fragile' cannot be built with resnet18 at 32 px: no" in output
    assert "MyNet" in output
    assert sorted(p.name for p in (track / "external" / "fragile").glob("*/")) == ["gaps"]


def test_without_a_track_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = bench("enter", "fpn")
    assert found.exit_code == 1
    assert "holds no open track" in found.output
