"""Scores by the number of labelled training images, from results folders that were trained on a few of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats import scores
from bench.formats.protocol import protocol_hash
from bench.ranking.results import ENTERED, EXTERNAL, Results, read
from bench.ranking.standings import Query, compute_standings, covered, seed_note
from bench.render.tables import Table
from bench.stats.bootstrap import interval

FOLDER = "few_labels"
"""Folder in the results with a results folder for each number of training images: few_labels/5, few_labels/10."""

QUERY = Query("crack_iou", "pooled", 2000)


@dataclass(frozen=True)
class FewLabels:
    """Pooled crack IoU by number of training images, mean over datasets and seeds.

    Attributes:
        counts: numbers of training images, ascending; the last is None: all of them.
        datasets: ids of those that every cell has.
        models: ids of those with every number and dataset.
        values: (N, M), one row per number.
        low: lower ends of the 95 % intervals over source images and seeds, (N, M).
        high: upper ends, (N, M).
        one_seed: those of the numbers with one seed of a model, whose intervals lack the variation between trainings.
    """

    counts: list[int | None]
    datasets: list[str]
    models: list[str]
    values: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    one_seed: list[int]


def few_labels(results: Results, folder: Path) -> FewLabels | None:
    """Return the scores by number of training images; None if there are none, or no model has them all.

    Args:
        results: those with all training images.
        folder: ``FOLDER`` of these results.

    Raises:
        UserError: a file is damaged, or cells differ from the results in more than the number of training images.
    """
    numbers = sorted(int(path.name) for path in folder.glob("*") if path.name.isdecimal() and path.is_dir())
    if not numbers:
        return None
    parts = {number: _read(folder / str(number), number, results) for number in numbers}
    every = [*parts.values(), results]
    models = [m for m in results.models if all(covered(part, m) for part in every)]
    datasets = [d for d in results.datasets if models and all(d in covered(part, m) for part in every for m in models)]
    if not datasets:
        return None
    found = [compute_standings(part, QUERY, datasets, models) for part in every]
    values = np.stack([part.values.mean(0) for part in found])
    low, high = (np.stack(ends) for ends in zip(*(interval(part.draws.mean(1)) for part in found), strict=True))
    one_seed = [number for number, part in parts.items() if seed_note(part, datasets, models)]
    return FewLabels([*numbers, None], datasets, models, values, low, high, one_seed)


def table(few: FewLabels, names: Mapping[str, str]) -> Table:
    """Return a row per model and number of training images."""
    rows = [
        {
            "Model": names[model], "Training images": "all" if count is None else str(count),
            "Crack IoU": few.values[n, m], "Low": few.low[n, m], "High": few.high[n, m],
            "Of all %": 100 * few.values[n, m] / few.values[-1, m],
        }
        for m, model in enumerate(few.models)
        for n, count in enumerate(few.counts)
    ]  # fmt: skip
    shown = ", ".join(names[d] for d in few.datasets)
    notes = [
        "Training images: prepare.train_items, chosen by the seed of the split; the test images are the same for each "
        "number. Low and High: 95 % interval over source images and seeds.",
        "Of all: share of the score with all training images.",
    ]
    if few.one_seed:
        numbers = ", ".join(map(str, few.one_seed))
        notes.append(f"One seed with {numbers} training images: the intervals lack the variation between trainings.")
    caption = f"Few labels: pooled crack IoU, mean over {shown} and the seeds."
    digits = {"Crack IoU": 4, "Low": 4, "High": 4, "Of all %": 0}
    return Table("few_labels", caption, pd.DataFrame(rows), digits, notes)


def _read(folder: Path, number: int, results: Results) -> Results:
    """Return the results of one number of training images.

    Raises:
        UserError: a cell was trained on another number, with other settings, or was tested on other images.
    """
    seeds = sorted({c["seed"] for c in results.cells})
    models = [m for m in results.models if results.trained(m) not in (ENTERED, EXTERNAL)]
    part = read(folder, results.datasets, models, seeds)
    every = {_name(c): c for c in results.cells}
    for cell in part.cells:
        trained_on = cell["settings"]["prepare"].get("train_items")
        if trained_on != number:
            raise UserError(f"{folder}: {_name(cell)} was trained on {trained_on} images: move it to its own folder.")
        against = every.get(_name(cell))
        if against is not None and (other := _difference(cell["settings"], against["settings"])):
            raise UserError(f"{folder}: {_name(cell)} differs from the results in {other}: train it again.")
    for dataset in {c["dataset"] for c in part.cells}:
        if _tested(part, dataset) != _tested(results, dataset):
            raise UserError(f"{folder}: {dataset} was tested on other images than in the results: train it again.")
    return part


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Return the first setting that differs, beside the number of training images; None if none does."""
    if _hash_with_all(one) == _hash_with_all(other):  # older records lack settings added since
        return None
    for section in ("prepare", "train"):
        first, second = one.get(section, {}), other.get(section, {})
        for key in sorted({*first, *second} - {"train_items"}):
            if first.get(key) != second.get(key):
                return f"{section}.{key}"
    return "settings"


def _hash_with_all(settings: Mapping[str, Any]) -> str:
    return protocol_hash({**settings, "prepare": {**settings["prepare"], "train_items": None}})


def _tested(results: Results, dataset: str) -> set[str]:
    images = results.images
    return set(images.loc[images["dataset"] == dataset, "item"])


def _name(cell: Mapping[str, Any]) -> str:
    return "/".join(str(cell[key]) for key in scores.CELL)
