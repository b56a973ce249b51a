"""Evaluate: prepared/<dataset>, runs/<dataset> -> results/scores/<dataset>: counts per test image. No torch, no GPU."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench.errors import UserError
from bench.formats import predictions, prepared, scores
from bench.formats import run as run_format
from bench.metrics._counting import HALF, best_f1, skeleton_hits, threshold_counts, tolerant_hits

TOLERANCES_PX = (2, 5)


@dataclass(frozen=True)
class Settings:
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
    settings: Settings,
) -> None:
    """Write the scores of every cell of a dataset; a cell without a run is named in ``missing``.

    Raises:
        UserError: the prepared data are of another dataset, a run is of other data, damaged, or incomplete.
    """
    data = prepared.read(source)
    if data.card["dataset"] != dataset:
        raise UserError(f"{source} holds the dataset {data.card['dataset']!r}, not {dataset!r}: correct the path.")
    tables: dict[str, list[pd.DataFrame]] = {"images": [], "curves": [], "history": []}
    cells, missing = [], []
    for model, seed in tqdm([(m, s) for m in models for s in seeds], desc=f"evaluate {dataset}", unit="run"):
        cell: dict[str, Any] = {"dataset": dataset, "model": model, "seed": seed}
        folder = runs / model / str(seed)
        if not (folder / "run.json").is_file():
            missing.append(cell)
            print(f"{folder} holds no finished run: {dataset}/{model}/{seed} will be missing.", file=sys.stderr)
            continue
        record, history = run_format.read(folder)
        _check(record, cell, data, folder)
        images, curve = _score(data, folder / "probabilities", settings.batch)
        for name, frame in (("images", images), ("curves", curve), ("history", history)):
            tables[name].append(frame.assign(**cell))
        cells.append(record)
    if not cells:
        raise UserError(f"{runs} holds no finished run of {', '.join(models)}: train first (`dvc repro`).")
    frames = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    scores.write(target, scores.Scores(**frames, cells=cells, card=data.card, missing=missing))


def _check(record: dict[str, Any], cell: dict[str, Any], data: prepared.Prepared, folder: Path) -> None:
    """Refuse a run of another cell or of other data."""
    for key, expected in {**cell, "data": data.card["content"]}.items():
        if record[key] != expected:
            raise UserError(f"{folder / 'run.json'}: {key} is {record[key]!r}, expected {expected!r}: train it again.")


def _score(data: prepared.Prepared, folder: Path, batch: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row per test image, and the counts by threshold added over all of them."""
    rows = []
    pooled = np.zeros((256, 3), np.int64)
    for number, row in enumerate(data.split("test")):
        item = data.items.iloc[row]
        true = data.masks[row] > 0
        levels = predictions.read_one(folder, item["item"], true.shape)
        curve = threshold_counts(levels, true)
        pooled += curve
        rows.append(
            {"item": item["item"], "photo": item["photo"], "batch": number // batch} | _counts(levels, true, curve)
        )
    curves = pd.DataFrame(pooled, columns=["tp", "fp", "fn"]).assign(threshold=range(256))
    return pd.DataFrame(rows), curves


def _counts(
    levels: npt.NDArray[np.uint8], true: npt.NDArray[np.bool_], curve: npt.NDArray[np.int64]
) -> dict[str, float]:
    """Return the columns of one image that are measured."""
    pred = levels >= HALF
    tp, fp, fn = (int(n) for n in curve[HALF])
    values: dict[str, float] = {"tp": tp, "fp": fp, "fn": fn, "tn": true.size - tp - fp - fn}
    for tolerance, hits in zip(TOLERANCES_PX, tolerant_hits(pred, true, TOLERANCES_PX), strict=True):
        values |= dict(zip((f"pred_hit_{tolerance}px", f"true_hit_{tolerance}px"), hits, strict=True))
    names = ("skeleton_pred", "skeleton_pred_hit", "skeleton_true", "skeleton_true_hit")
    values |= dict(zip(names, skeleton_hits(pred, true), strict=True))
    return values | dict(zip(("best_threshold", "best_f1"), best_f1(curve), strict=True))
