"""Estimate how long a cell takes: from past runs, or from multiply-adds for models that were never trained."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.formats import cost, files
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell


@dataclass(frozen=True)
class Throughput:
    """Training images per second by model.

    Attributes:
        images_per_s: medians over the runs with these settings on this hardware; for other models scaled by their
            multiply-adds, where known.
        measured: models with such runs.
        hardware: the GPU or processor of these runs, or "".
    """

    images_per_s: dict[str, float]
    measured: frozenset[str]
    hardware: str


def throughput(root: Path, image_size: int, encoder: str) -> Throughput:
    """Return the training throughput of past runs at this image size, px, with this encoder.

    If the runs used several kinds of hardware, the one with the most runs is taken.
    """
    by_hardware: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in _records(root):
        settings = record["settings"]
        if settings["prepare"]["image_size"] == image_size and settings["train"]["encoder"] == encoder:
            name = record["hardware"].get("gpu") or record["hardware"]["processor"]
            by_hardware[name][record["model"]].append(record["images_per_s"])
    if not by_hardware:
        return Throughput({}, frozenset(), "")
    hardware, of_model = max(by_hardware.items(), key=lambda pair: (sum(map(len, pair[1].values())), pair[0]))
    speeds = {model: statistics.median(values) for model, values in of_model.items()}
    gmacs = _gmacs(root)
    known = [speeds[m] * gmacs[m] for m in speeds if m in gmacs]
    scaled = {m: statistics.median(known) / g for m, g in gmacs.items()} if known else {}
    return Throughput({**scaled, **speeds}, frozenset(speeds), hardware)


def train_items(folder: Path) -> int | None:
    """Return the number of training images of a prepared dataset; None if it is not prepared."""
    path = folder / "items.csv"
    return int((files.read_csv(path, ["split"], text=["split"])["split"] == "train").sum()) if path.is_file() else None


def model_of(cell: Cell) -> str:
    """Return the model in a cell's command, or ""."""
    words = cell.command
    return words[words.index("--model") + 1] if "--model" in words[:-1] else ""


def longest_first(root: Path, todo: Sequence[tuple[Cell, Attempt]]) -> list[tuple[Cell, Attempt]]:
    """Return cells ordered by expected duration, longest first, so that all slots stay busy to the end.

    **Source:** Graham (1969), DOI 10.1137/0117039: the makespan is at most 4/3 - 1/(3 m) of the best on m slots.
    """
    gmacs = _gmacs(root)
    items = {source: (source and train_items(root / source)) or 1 for source in {cell.source for cell, _ in todo}}
    middle = statistics.median(gmacs.values()) if gmacs else 1.0
    return sorted(todo, key=lambda pair: -items[pair[0].source] * gmacs.get(model_of(pair[0]), middle))


def _gmacs(root: Path) -> dict[str, float]:
    """Return the multiply-adds of each model with a measured cost, 10^9."""
    return {path.stem: cost.read(path)["gmacs"] for path in sorted((root / "results" / "cost").glob("*.json"))}


def _records(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the record of every run in runs/ and of every cell in the committed scores, each cell once."""
    seen = set()
    paths = [*sorted(root.glob("runs/*/*/*/run.json")), *sorted(root.glob("results/scores/*/cells.json"))]
    for path in paths:
        try:
            content = files.read_json(path)
        except UserError:
            continue  # incomplete file: the estimate does not depend on any single run
        for record in content.get("cells", []) if path.name == "cells.json" else [content]:
            key = (record.get("dataset"), record.get("model"), record.get("seed"))
            if key not in seen and {"settings", "hardware", "images_per_s"} <= record.keys():
                seen.add(key)
                yield record
