"""A small grid of real score files: prepared datasets, predictions of known quality, and their scores."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from bench.formats import cost, files, predictions, prepared, scores
from bench.formats.protocol import protocol
from bench.settings import load_params, section
from bench.stages.evaluate import score
from bench.training.settings import TrainSettings

SIZE, TESTS = 32, 6
TRAIN = load_params(Path(__file__).parents[2] / "params.yaml")["train"] | {"lr": "1e-4"}  # as YAML reads 1e-4


def write_prepared(folder, dataset, seed):
    """Write a prepared dataset of ``TESTS`` test items, two crops of each photograph, and two to train on."""
    rng = np.random.default_rng(seed)
    names = [f"{dataset}_{i}" for i in range(TESTS + 2)]
    items = pd.DataFrame(
        {"item": names, "file": [f"{n}.png" for n in names], "photo": [f"p{i // 2}" for i in range(8)]}
    )
    items["split"] = ["test"] * TESTS + ["train"] * 2
    card = {
        "dataset": dataset,
        "classes": 1,
        "origin": {"source": "collection"},
        "counts": {"test": TESTS, "train": 2, "validation": 0},
    }
    card["settings"] = {"image_size": SIZE, "mask_threshold": 127, "skip": []}
    pairs = []
    for _ in names:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        row = rng.integers(8, SIZE - 10)
        mask[row : row + 5, 2:-2] = 1
        pairs.append((np.zeros((SIZE, SIZE, 3), np.uint8), mask, (SIZE, SIZE)))
    prepared.write(folder, items, card, pairs)
    return prepared.read(folder)


def predict(data, quality, seed):
    """Return levels of every test item: right in a share ``quality`` of the pixels of the crack, noise elsewhere."""
    rng = np.random.default_rng(seed)
    found = {}
    for row in data.split("test"):
        true = data.masks[row] > 0
        kept = true & (rng.random(true.shape) < quality)
        found[data.items["item"].iloc[row]] = np.where(kept, 200, rng.integers(0, 100, true.shape)).astype(np.uint8)
    return found


def record_of(data, model, seed, train):
    settings, hashed = protocol(data.card, asdict(section({"train": train}, "train", TrainSettings)))
    cell = {"dataset": data.card["dataset"], "model": model, "seed": seed}
    return cell | {
        "model_name": model.upper(), "protocol": hashed, "settings": settings, "data": data.card["content"],
        "source": "collection", "code": {"commit": "c0ffee", "dirty": False}, "program": f"p-{model}",
        "versions": {"python": "3.11"}, "hardware": {"processor": "cpu"},
    }  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    """Return a function that writes a workspace and returns its folder."""

    def make(datasets, qualities, seeds=(0,)):
        for number, dataset in enumerate(datasets):
            data = write_prepared(tmp_path / "prepared" / dataset, dataset, number)
            tables, histograms, cells = {name: [] for name in scores.TABLES if name != "history"}, [], []
            for model, quality in qualities.items():
                for seed in seeds:
                    levels = predict(data, quality, [number, seed, len(model)])
                    cell = {"dataset": dataset, "model": model, "seed": seed}
                    found, counts = score(data, lambda item, _, levels=levels: levels[item], 4)
                    histograms.append(counts)
                    for name, table in found.items():
                        tables[name].append(table.assign(**cell))
                    cells.append(record_of(data, model, seed, TRAIN))
            frames = {name: pd.concat(parts) for name, parts in tables.items()} | {
                "histograms": np.concatenate(histograms)
            }
            frames["history"] = pd.DataFrame(columns=scores.HISTORY)
            made = scores.Scores(**frames, cells=cells, card=data.card, missing=[])
            scores.write(tmp_path / "results" / "scores" / dataset, made)
        for number, model in enumerate(qualities):
            numbers = dict.fromkeys(cost.KEYS, 10.0 + number) | {"model": model, "model_name": model}
            cost.write(tmp_path / "results" / "cost" / f"{model}.json", numbers)
        params = {"datasets": list(datasets), "models": list(qualities), "seeds": list(seeds), "train": TRAIN}
        params |= {"evaluate": {"batch": 4}, "report": {"headline": "pooled"}}
        files.write_text(tmp_path / "params.yaml", yaml.safe_dump(params))
        return tmp_path

    return make


@pytest.fixture
def write_predictions():
    """Return a function that writes predictions of a quality for a prepared dataset as PNG."""

    def write(folder, data_folder, quality, seed=99):
        for item, levels in predict(prepared.read(data_folder), quality, seed).items():
            predictions.write_one(folder, item, levels)

    return write
