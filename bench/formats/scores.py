"""The scores of one dataset: four tables, histograms.npz and cells.json in results/scores/<dataset>/."""

import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats import files, run

SCHEMA = 2
"""Version of this format. 1: fewer columns in images.csv and curves.csv, no batches.csv and histograms.npz."""

CELL = ["dataset", "model", "seed"]

COUNTS = ["tp", "fp", "fn", "tn"]

IMAGES = [*CELL, "item", "photo", "batch", *COUNTS]
IMAGES += ["pred_hit_2px", "true_hit_2px", "pred_hit_5px", "true_hit_5px"]
IMAGES += ["skeleton_pred", "skeleton_pred_hit", "skeleton_true", "skeleton_true_hit"]
IMAGES += ["centreline_pred_hit_4px", "centreline_true_hit_4px", "boundary_both", "boundary_pred", "boundary_true"]
IMAGES += ["best_threshold", "best_f1", "aiu", "average_precision", "expected_calibration_error"]
"""One row per test image and run; all counts in pixels at p >= 0.5.

batch: number of the evaluation batch the item falls into, from 0.
pred_hit_Tpx: predicted crack pixels within T px (Euclidean) of a true one; true_hit_Tpx: the reverse.
skeleton_pred: pixels of the skeleton of the prediction; skeleton_pred_hit: those inside the true mask; the other two
the reverse (clDice needs these four).
centreline_pred_hit_4px: pixels of the skeleton of the prediction within 4 px of the true skeleton; the other is
the reverse.
boundary_pred: predicted crack pixels within 2 % of the image diagonal of their contour; boundary_true: likewise of the
true mask; boundary_both: pixels in both.
best_threshold: the level t of 0..255 whose mask ``floor(256 p) >= t`` has the highest F1 on this image, the lowest such
t; best_f1: that F1; nan where the image has no crack, likewise the metrics aiu and average_precision."""

CURVES = [*CELL, "threshold", "tp", "fp", "fn", "f1_mean"]
"""Counts pooled over the test images of a cell at ``floor(256 p) >= threshold``, threshold 0..255; f1_mean: the mean
over its images with crack of the F1 of each."""

BATCHES = [*CELL, "batch", "aiu", "average_precision", "expected_calibration_error"]
"""Metrics of the counts by threshold pooled over each evaluation batch; all other metrics of a batch come from the sums
of images.csv."""

HISTORY = [*CELL, *run.HISTORY]
"""The training curves."""

RECORD = [*CELL, "protocol", "data", "settings", "model_name"]
"""What the record of each cell must hold; ``evaluation_batch``, images in an evaluation batch, is in newer ones."""


@dataclass(frozen=True)
class Scores:
    """Everything that tables, figures and tests of one dataset are computed from.

    Attributes:
        images: columns ``IMAGES``. curves: columns ``CURVES``. history: columns ``HISTORY``.
        cells: run.json of each cell. card: card.json of the prepared dataset. missing: cells declared but not run.
        batches: columns ``BATCHES``.
        histograms: pixels of crack, then of background, at each level floor(256 p), of the image in the same row of
            ``images``, (N, 2, 256): what intervals of the metrics of a curve are resampled from; 0 where not known.
    """

    images: pd.DataFrame
    curves: pd.DataFrame
    history: pd.DataFrame
    cells: list[dict[str, Any]]
    card: dict[str, Any]
    missing: list[dict[str, Any]]
    batches: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=BATCHES))
    histograms: npt.NDArray[np.uint32] | None = None


TABLES = {
    "images": (IMAGES, "item"),
    "curves": (CURVES, "threshold"),
    "batches": (BATCHES, "batch"),
    "history": (HISTORY, "epoch"),
}
"""Name of a table -> its columns, and the one its rows are sorted by after the cell."""


def write(folder: Path, scores: Scores) -> None:
    """Write the scores of one dataset, rows sorted by cell and item."""
    for name, (columns, by) in TABLES.items():
        files.write_csv(folder / f"{name}.csv", getattr(scores, name)[columns].sort_values([*CELL, by]))
    order = scores.images.reset_index(drop=True).sort_values([*CELL, "item"]).index
    known = np.zeros((len(order), 2, 256)) if scores.histograms is None else scores.histograms
    with files.atomic_write(folder / "histograms.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, histograms=known[order].astype(np.uint32))
    record = {"card": scores.card, "cells": scores.cells, "missing": scores.missing, "schema": SCHEMA}
    files.write_json(folder / "cells.json", record)
    files.write_checksums(folder)


def read(folder: Path) -> Scores:
    """Return the scores of one dataset.

    Raises:
        UserError: a file is missing, damaged, another than was written, lacks a column or comes from another version
            of the format.
    """
    cells = files.read_json(folder / "cells.json")
    _require_schema(cells, folder / "cells.json")
    _require_records(cells, folder / "cells.json")
    frames = {}
    for name, (columns, _) in TABLES.items():
        frame = files.read_csv(folder / f"{name}.csv", columns, text=["dataset", "model", "item", "photo"])
        foreign = set(frame["dataset"].unique()) - {cells["card"]["dataset"]}
        if foreign:
            raise UserError(f"{folder / f'{name}.csv'} holds rows of a foreign dataset: {', '.join(sorted(foreign))}.")
        _require_counts(frame, folder / f"{name}.csv")
        frames[name] = frame
    files.verify(folder, ["cells.json", "histograms.npz", *(f"{name}.csv" for name in frames)])
    histograms = _read_histograms(folder / "histograms.npz", len(frames["images"]))
    return Scores(**frames, histograms=histograms, cells=cells["cells"], card=cells["card"], missing=cells["missing"])


def _read_histograms(path: Path, images: int) -> npt.NDArray[np.uint32]:
    """Return the histograms of so many images.

    Raises:
        UserError: the file is missing, damaged or of other images.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            found: npt.NDArray[np.uint32] = content["histograms"]
    except FileNotFoundError:
        raise UserError(f"{path} is missing: evaluate this dataset again.") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}): evaluate this dataset again.") from None
    if found.shape != (images, 2, 256):
        raise UserError(f"{path} holds {len(found)} images, images.csv {images}: evaluate this dataset again.")
    return found


def _require_schema(cells: Any, path: Path) -> None:
    """Refuse another version of the format, with the command that writes this one."""
    found = cells.get("schema") if isinstance(cells, dict) else None
    if found == SCHEMA:
        return
    if not isinstance(found, int):
        raise UserError(f"{path} does not say which version of the score files it is: evaluate this dataset again.")
    if found > SCHEMA:
        raise UserError(f"{path} is of version {found} of the score files, this program reads {SCHEMA}: update it.")
    dataset = path.parent.name
    cure = f"`dvc repro evaluate@{dataset}` writes them anew from its runs, without training"
    if path.parent.parent.name != "scores":  # from elsewhere: external/<model>/<dataset>
        cure = (
            f"score the predictions again: `bench score FOLDER --dataset {dataset} --model {path.parent.parent.name}`"
        )
    raise UserError(f"{path} is of version {found} of the score files, this program reads {SCHEMA}: {cure}.")


def _require_records(content: dict[str, Any], path: Path) -> None:
    """Refuse a card or cells that lack what every table is made with."""
    card, cells, missing = (content.get(key) for key in ("card", "cells", "missing"))
    if not isinstance(card, dict) or not isinstance(card.get("dataset"), str):
        raise UserError(f"{path} has no card of a dataset: evaluate this dataset again.")
    if not isinstance(missing, list) or not isinstance(cells, list):
        raise UserError(f"{path} has no lists of cells: evaluate this dataset again.")
    for cell in cells:
        lacking = [key for key in RECORD if not isinstance(cell, dict) or key not in cell]
        if lacking:
            raise UserError(f"{path}: a cell lacks the key {lacking[0]!r}: evaluate this dataset again.")
        if cell["dataset"] != card["dataset"]:
            raise UserError(f"{path} holds cells of a foreign dataset: {cell['dataset']!r}.")


def _require_counts(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a count that is no number: a sum over images would silently leave it out."""
    for column in [c for c in (*COUNTS, "skeleton_true", "skeleton_pred", "threshold") if c in frame.columns]:
        wrong = pd.to_numeric(frame[column], errors="coerce").isna()
        if wrong.any():
            row = frame[wrong].iloc[0]
            raise UserError(
                f"{path}: column {column!r} of {row['model']}/{row['seed']} holds {row[column]} in line "
                f"{int(wrong.to_numpy().argmax()) + 2}, expected a count: evaluate this dataset again."
            )
