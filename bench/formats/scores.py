"""The scores of one dataset: images.csv, curves.csv, history.csv and cells.json in results/scores/<dataset>/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import UserError
from bench.formats import files, run

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

HISTORY = [*CELL, *run.HISTORY]
"""The training curves."""


@dataclass(frozen=True)
class Scores:
    """Everything that tables, figures and tests of one dataset are computed from.

    Attributes:
        images: columns ``IMAGES``. curves: columns ``CURVES``. history: columns ``HISTORY``.
        cells: run.json of each cell. card: card.json of the prepared dataset. missing: cells declared but not run.
    """

    images: pd.DataFrame
    curves: pd.DataFrame
    history: pd.DataFrame
    cells: list[dict[str, Any]]
    card: dict[str, Any]
    missing: list[dict[str, Any]]


def write(folder: Path, scores: Scores) -> None:
    """Write the scores of one dataset, rows sorted by cell and item."""
    files.write_csv(folder / "images.csv", scores.images[IMAGES].sort_values([*CELL, "item"]))
    files.write_csv(folder / "curves.csv", scores.curves[CURVES].sort_values([*CELL, "threshold"]))
    files.write_csv(folder / "history.csv", scores.history[HISTORY].sort_values([*CELL, "epoch"]))
    files.write_json(
        folder / "cells.json", {"card": scores.card, "cells": scores.cells, "missing": scores.missing, "schema": 1}
    )


def read(folder: Path) -> Scores:
    """Return the scores of one dataset.

    Raises:
        UserError: a file is missing, damaged, lacks a column or comes from another version of the format.
    """
    cells = files.read_json(folder / "cells.json")
    if not isinstance(cells, dict) or cells.get("schema") != 1:
        raise UserError(f"{folder / 'cells.json'} has an unknown schema: evaluate this dataset again.")
    frames = {}
    for name, columns in (("images", IMAGES), ("curves", CURVES), ("history", HISTORY)):
        frame = files.read_csv(folder / f"{name}.csv", columns, text=["dataset", "model", "item", "photo"])
        foreign = set(frame["dataset"].unique()) - {cells["card"]["dataset"]}
        if foreign:
            raise UserError(f"{folder / f'{name}.csv'} holds rows of a foreign dataset: {', '.join(sorted(foreign))}.")
        _require_counts(frame, folder / f"{name}.csv")
        frames[name] = frame
    return Scores(**frames, cells=cells["cells"], card=cells["card"], missing=cells["missing"])


def require_rows(scores: Scores, path: Path) -> None:
    """Refuse scores that lost whole lines: each cell has a row per test image of the prepared dataset.

    Raises:
        UserError: names the cell; ``path`` says where the scores are from.
    """
    expected = scores.card.get("counts", {}).get("test")
    rows = scores.images.groupby(["model", "seed"]).size()
    for cell in scores.cells:
        found = int(rows.get((cell["model"], cell["seed"]), 0))
        if expected is not None and found != expected:
            raise UserError(
                f"{path} holds {found} rows of {cell['model']}/{cell['seed']}, the dataset has {expected} test images: "
                "restore it from git, or evaluate this dataset again."
            )


def _require_counts(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a count that is no number: a sum over images would silently leave it out."""
    for column in [c for c in (*COUNTS, "skeleton_true", "skeleton_pred", "threshold") if c in frame.columns]:
        wrong = pd.to_numeric(frame[column], errors="coerce").isna()
        if wrong.any():
            row = frame[wrong].iloc[0]
            raise UserError(
                f"{path}: column {column!r} of {row['model']}/{row['seed']} holds {row[column]!r} in line "
                f"{int(wrong.to_numpy().argmax()) + 2}, expected a count: evaluate this dataset again."
            )
