"""Evaluate: prepared/<dataset>, runs/<dataset> -> results/scores/<dataset>, counts per test image; without torch."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench.data.views import ReadLevels, of_tiles, views
from bench.errors import UserError
from bench.formats import failure, files, predictions, prepared, scores
from bench.formats import run as run_format
from bench.metrics.counting import count_image, curve_metrics, f1_curve
from bench.metrics.histogram import histogram


@dataclass(frozen=True)
class EvaluateSettings:
    """How test images are grouped.

    Attributes:
        batch: images in an evaluation batch, in the order of their names.
    """

    batch: int

    def __post_init__(self) -> None:
        """Check the range."""
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, got {self.batch}")


def run(
    source: Path,
    runs: Path,
    target: Path,
    dataset: str,
    models: Sequence[str],
    seeds: Sequence[int],
    settings: EvaluateSettings,
) -> None:
    """Write the scores of every cell of a dataset; cells without a run are listed in ``missing``, with why they failed.

    Raises:
        UserError: the prepared data belong to another dataset; a run belongs to other data, is damaged or incomplete.
    """
    data = prepared.read(source)
    if data.card["dataset"] != dataset:
        raise UserError(f"{source} holds the dataset {data.card['dataset']!r}, not {dataset!r}: correct the path.")
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in (*scores.TABLES, "classes")}
    records, missing, histograms = [], [], []
    for model, seed in tqdm([(m, s) for m in models for s in seeds], desc=f"evaluate {dataset}", unit="run"):
        cell: dict[str, Any] = {"dataset": dataset, "model": model, "seed": seed}
        folder = runs / model / str(seed)
        if not (folder / "run.json").is_file():
            why = failure.read(folder)
            missing.append(cell if why is None else cell | {"failed": why})
            state = "will be missing" if why is None else f"failed: {why}"
            print(f"{folder} holds no finished run: {dataset}/{model}/{seed} {state}.", file=sys.stderr)
            continue
        record, frames, of_run = _evaluate_run(folder, cell, data, settings.batch)
        records.append(record)
        histograms.append(of_run)
        for name, frame in frames.items():
            tables[name].append(frame)
    if not records:
        raise UserError(f"{runs} holds no finished run of {', '.join(models)}: train first (`dvc repro`).")
    merged = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items() if parts}
    histogram_array = np.concatenate(histograms)
    scores.write(
        target, scores.Scores(**merged, histograms=histogram_array, cells=records, card=data.card, missing=missing)
    )


def _evaluate_run(
    folder: Path, cell: dict[str, Any], data: prepared.Prepared, batch: int
) -> tuple[dict[str, Any], dict[str, pd.DataFrame], npt.NDArray[np.uint32]]:
    """Return the record, the tables and the histograms of one run, after verifying its files."""
    record, history = run_format.read(folder)
    _require_same(record, {**cell, "data": data.card["content"]}, folder)
    read_item = partial(predictions.read_one, folder / "probabilities")
    frames, histograms = score(data, read_item, batch)
    if data.card["classes"] > 1:
        frames |= _by_class(folder, data, batch)
    items = data.items["item"].iloc[data.split("test")]
    kinds = ["probabilities", *([predictions.CLASSES] if "classes" in frames else [])]
    files.verify(folder, [f"{kind}/{item}.png" for kind in kinds for item in items])
    frames = {name: frame.assign(**cell) for name, frame in (frames | {"history": history}).items()}
    return record | {"evaluation_batch": batch}, frames, histograms


def _by_class(folder: Path, data: prepared.Prepared, batch: int) -> dict[str, pd.DataFrame]:
    """Return the counts by class of a run, as ``Scores.classes``; nothing for one from before classes were kept."""
    if not (folder / predictions.CLASSES).is_dir():
        print(f"{folder} keeps no classes: train it again to count each class (`dvc repro`).", file=sys.stderr)
        return {}
    return {"classes": score_classes(data, partial(predictions.read_one, folder / predictions.CLASSES), batch)}


def _require_same(record: dict[str, Any], expected: dict[str, Any], folder: Path) -> None:
    """Refuse a run of another cell or of other data."""
    for key, value in expected.items():
        if record[key] != value:
            raise UserError(f"{folder / 'run.json'}: {key} is {record[key]!r}, expected {value!r}: train it again.")


def score(
    data: prepared.Prepared, read_levels: ReadLevels, batch: int
) -> tuple[dict[str, pd.DataFrame], npt.NDArray[np.uint32]]:
    """Return the tables and histograms of one run as in ``Scores``, without the columns of the cell and the history.

    Args:
        data: the prepared dataset.
        read_levels: (name, size (H, W)) of a test item, an image or a tile -> floor(256 p), (H, W).
        batch: images in an evaluation batch.
    """
    rows, f1, histograms = [], [], []
    read_whole = of_tiles(data, read_levels)
    pooled: dict[int, npt.NDArray[np.int64]] = {}
    for number, view in enumerate(views(data, "test")):
        known = view.mask != prepared.IGNORED
        true, levels = (view.mask > 0) & known, np.where(known, read_whole(view), 0).astype(np.uint8)
        values, curve = count_image(levels, true, known)
        pooled[number // batch] = pooled.get(number // batch, 0) + curve
        histograms.append(histogram(levels[known], true[known]))
        if true.any():
            f1.append(f1_curve(curve))
        rows.append({"item": view.name, "photo": view.photo, "batch": number // batch} | values)
    curve_sum = np.sum(list(pooled.values()), axis=0)
    f1_mean = np.mean(f1, axis=0) if f1 else np.nan
    curves = pd.DataFrame(curve_sum, columns=["tp", "fp", "fn"]).assign(threshold=range(256), f1_mean=f1_mean)
    batches = pd.DataFrame([{"batch": number} | curve_metrics(curve) for number, curve in pooled.items()])
    tables = {"images": pd.DataFrame(rows), "curves": curves, "batches": batches}
    return tables, np.array(histograms, np.uint32).reshape(-1, 2, 256)


def score_classes(data: prepared.Prepared, read_classes: ReadLevels, batch: int) -> pd.DataFrame:
    """Return the pixels of each class of each test image, as in ``Scores.classes`` without the columns of the cell.

    Args:
        data: the prepared dataset.
        read_classes: as for ``score``, the class of each pixel.
        batch: images in an evaluation batch.

    Raises:
        UserError: a map has a class that the dataset does not have.
    """
    rows: list[dict[str, Any]] = []
    read_whole, classes = of_tiles(data, read_classes), int(data.card["classes"])
    for number, view in enumerate(views(data, "test")):
        known, predicted = view.mask != prepared.IGNORED, read_whole(view)
        if predicted.max(initial=0) >= classes:
            raise UserError(f"{view.name} is predicted as class {predicted.max()}, of {classes}: train it again.")
        pairs = classes * view.mask[known].astype(int) + predicted[known]
        table = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)  # truth, prediction
        tp, of_truth, of_prediction = table.diagonal(), table.sum(1), table.sum(0)
        facts = {"item": view.name, "photo": view.photo, "batch": number // batch}
        rows += [
            facts | {"class": k, "tp": tp[k], "fp": of_prediction[k] - tp[k], "fn": of_truth[k] - tp[k]}
            for k in range(classes)
        ]
    return pd.DataFrame(rows)
