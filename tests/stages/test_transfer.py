"""Transfer: counts abroad and at home against comparing pixel by pixel; shared photographs; what is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from bench import plugins
from bench.data.corrupt import corrupt
from bench.data.tiles import cut, ignore_covered, tile_places
from bench.errors import UserError
from bench.formats import files, predictions, prepared, transfer
from bench.settings import load_params
from bench.stages import evaluate, train
from bench.stages.transfer import TransferSettings, run
from bench.training.loader import normalise

ROOT = Path(__file__).parents[2]
Make = Callable[..., Any]
SIDE = 32
SETTINGS = TransferSettings(("noise", "jpeg"), "cpu")


def write_tiled(folder: Path, dataset: str, split: dict[str, str], first: int, height: int = 40) -> None:
    """Write a dataset of images of height x 50 px in tiles: name of image -> its split; the last one has no crack."""
    rows, pairs = [], []
    for number, (name, part) in enumerate(split.items()):
        rng = np.random.default_rng(first + number)
        image = np.repeat(np.repeat(rng.integers(0, 256, (10, 13, 3), np.uint8), 4, 0), 4, 1)[:height, :50]
        labels = (rng.random((height, 50)) < (0.3 if number < len(split) - 1 else 0)).astype(np.uint8)
        places = tile_places(height, 50, SIDE, SIDE)
        for i, (top, left) in enumerate(places):
            pixels, mask = cut(image, labels, (top, left), SIDE)
            pairs.append((pixels, ignore_covered(mask, places, i) if part == "test" else mask, (height, 50)))
            row = {"item": f"{name}_{top}_{left}", "file": f"{name}.png", "photo": name.partition("-")[0]}
            rows.append(row | {"image": name, "split": part, "top": top, "left": left})
    card = {
        "dataset": dataset,
        "classes": 1,
        "origin": {"source": "pinned"},
        "settings": {"image_size": SIDE, "geometry": "tiles"},
    }
    prepared.write(folder / dataset, pd.DataFrame(rows), card, pairs)


@pytest.fixture
def workspace(tmp_path: Path, tiny_model: str, train_settings: Make) -> Path:
    """Return a workspace in which a tiny network was trained on cfd; gaps has other images, forest one of cfd's."""
    names = {"a": "train", "b": "train", "c": "validation", "d": "test", "e": "test"}
    write_tiled(tmp_path / "prepared", "cfd", names, first=0)
    write_tiled(tmp_path / "prepared", "gaps", {"a": "train", "f": "test", "b": "test", "g": "test"}, first=10)
    write_tiled(tmp_path / "prepared", "forest", {"h": "test", "i-1": "test", "i-2": "test", "c": "test"}, first=1)
    train.run(tmp_path / "prepared" / "cfd", tmp_path / "runs" / tiny_model / "0", tiny_model, 0, train_settings())
    return tmp_path


def transferred(folder: Path, settings: TransferSettings = SETTINGS, **changes: Any) -> transfer.Transfer:
    arguments: dict[str, Any] = {"targets": ["cfd", "gaps", "forest"], "cells": [("tiny", 0)]} | changes
    run(folder / "prepared", folder / "runs", folder / "transfer", "cfd", settings=settings, **arguments)
    return transfer.read(folder / "transfer")


def expected(folder: Path, dataset: str, change: Callable[[np.ndarray, str], np.ndarray]) -> pd.DataFrame:
    """Return the counts of each image, tile by tile, by a network built anew."""
    data = prepared.read(folder / "prepared" / dataset)
    network = plugins.build_network("tiny", 3, 1, SIDE, "resnet18", None)
    network.load_state_dict(load_file(folder / "runs" / "tiny" / "0" / "weights.safetensors"))
    network.eval()
    rows = []
    for row in data.split("test"):
        image = change(np.array(data.images[row]), data.items["item"][row])
        with torch.no_grad():
            prob = network(normalise(torch.from_numpy(image)[None]))[0, 0].sigmoid().numpy()
        known, true, pred = data.masks[row] != 255, data.masks[row] == 1, predictions.quantise(prob) >= 128
        counts = [(pred & true).sum(), (pred & ~true & known).sum(), (~pred & true).sum(), known.sum()]
        rows.append([data.items["image"][row], *map(int, counts)])
    return pd.DataFrame(rows, columns=["item", "tp", "fp", "fn", "pixels"]).groupby("item", sort=False).sum()


def test_counts_are_those_of_comparing_pixel_by_pixel(workspace: Path) -> None:
    frame = transfer.frame(transferred(workspace))
    assert list(frame.groupby(["target", "condition"], sort=False).groups) == [
        ("cfd", "clean"), ("gaps", "clean"), ("forest", "clean"), ("cfd", "noise"), ("cfd", "jpeg")
    ]  # fmt: skip
    for (target, condition), found in frame.groupby(["target", "condition"], sort=False):

        def change(image: np.ndarray, item: str, condition: Any = condition) -> np.ndarray:
            return image if condition == "clean" else corrupt(image, condition, item)

        columns = ["tp", "fp", "fn", "pixels"]
        pd.testing.assert_frame_equal(found.set_index("item")[columns], expected(workspace, target, change))
    assert set(frame["pixels"]) == {40 * 50}  # each pixel counts once, and the padding never
    assert frame["tp"].sum() > 0
    assert frame["fp"].sum() > 0


def test_counts_at_home_are_those_that_evaluate_writes(workspace: Path) -> None:
    found = transfer.frame(transferred(workspace))
    data = prepared.read(workspace / "prepared" / "cfd")
    probabilities = workspace / "runs" / "tiny" / "0" / "probabilities"
    tables, _ = evaluate.score(data, lambda item, size: predictions.read_one(probabilities, item, size), 2)
    home = found[(found["target"] == "cfd") & (found["condition"] == "clean")]
    columns = ["item", "photo", "tp", "fp", "fn"]
    pd.testing.assert_frame_equal(home[columns].reset_index(drop=True), tables["images"][columns], check_dtype=False)


def test_histograms_hold_the_known_pixels_of_background_and_crack(workspace: Path) -> None:
    result = transferred(workspace)
    groups = transfer.group_of(result.targets)
    for number in range(5):
        part, histogram = result.targets[groups == number], result.histograms[0, number]
        assert histogram[1].sum() == part["crack"].sum()
        assert histogram.sum() == part["pixels"].sum()
        assert histogram[:, 128:].sum(1)[::-1].tolist() == result.counts[0, groups == number].sum(0).tolist()


def test_photographs_of_the_training_set_are_marked(workspace: Path) -> None:
    """Forest's h and i-1 show cfd's b and c, i-2 is of the same photograph, and c has the name of one of cfd's."""
    targets = transferred(workspace).targets
    seen = {(row.target, row.item) for row in targets.itertuples() if row.seen}
    assert seen == {("forest", "h"), ("forest", "i-1"), ("forest", "i-2"), ("forest", "c")}  # gaps' b is another b


def test_larger_batches_change_no_count(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = transferred(workspace)
    monkeypatch.setattr("bench.stages.transfer.BATCH", 0)  # one item at a time
    after = transferred(workspace)
    assert np.array_equal(before.counts, after.counts)
    assert np.array_equal(before.histograms, after.histograms)


def test_cells_without_a_run_are_missing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = transferred(workspace, cells=[("tiny", 0), ("tiny", 1)])
    assert result.missing == [{"model": "tiny", "seed": 1}]
    assert "no finished run of tiny/1" in capsys.readouterr().err
    with pytest.raises(UserError, match="no finished run of unet"):
        transferred(workspace, cells=[("unet", 0)])


def test_other_data_and_other_settings_are_refused(workspace: Path, make_prepared: Make) -> None:
    make_prepared((2, 0, 2), size=SIDE, dataset="volker", folder="prepared/volker")
    with pytest.raises(UserError, match="volker is prepared by other settings"):
        transferred(workspace, targets=["volker"])
    write_tiled(workspace / "prepared", "cfd", {"a": "train", "b": "test"}, first=50)
    with pytest.raises(UserError, match="trained on other data"):
        transferred(workspace)


def test_damaged_weights_and_broken_networks_are_refused(workspace: Path) -> None:
    folder = workspace / "runs" / "tiny" / "0"
    weights = load_file(folder / "weights.safetensors")
    weights["3.bias"] = torch.full_like(weights["3.bias"], float("nan"))
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(UserError, match=r"weights\.safetensors"):
        transferred(workspace)
    files.write_checksums(folder)
    with pytest.raises(UserError, match="NaN or infinite"):
        transferred(workspace)


def test_unknown_corruptions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown corruption 'blurr'.*blur"):
        TransferSettings(("blurr",), "cpu")


def test_the_command_takes_runs_of_chosen_seeds(workspace: Path, train_settings: Make, make_prepared: Make) -> None:
    """A real network in a process of its own, with params.yaml."""
    params = load_params(ROOT / "params.yaml") | {"datasets": ["cfd"], "models": ["unet"], "seeds": [0, 1]}
    params["transfer"] = {"corruptions": [], "device": "cpu"}
    (workspace / "params.yaml").write_text(json.dumps(params), encoding="utf-8")
    train.run(workspace / "prepared" / "cfd", workspace / "runs" / "unet" / "1", "unet", 1, train_settings(epochs=1))
    subprocess.run(
        [sys.executable, "-m", "bench", "transfer", "prepared", "runs", "out", "--dataset", "cfd", "--seeds", "1"],
        cwd=workspace, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
    )  # fmt: skip
    result = transfer.read(workspace / "out")
    assert [(record["model"], record["seed"]) for record in result.runs] == [("unet", 1)]
    assert result.missing == []
