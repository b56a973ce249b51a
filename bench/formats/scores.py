"""The scores of one dataset: four tables, histograms.npz and cells.json in results/scores/<dataset>/."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats import class_scores, files, run
from bench.formats.protocol import protocol_hash

SCHEMA = 2
"""Version of this format. 1: fewer columns in images.csv and curves.csv, no batches.csv and histograms.npz."""

CELL = ["dataset", "model", "seed"]

COUNTS = ["tp", "fp", "fn", "tn"]

SHAPES = ["hausdorff95_px", "surface_distance_px", "pieces_pred", "pieces_true", "width_max_pred", "width_max_true"]
SHAPES += ["length_pred", "length_true", "skeleton_matched"]
"""hausdorff95_px, surface_distance_px: between the borders of both masks, px. pieces_pred, pieces_true: connected
pieces. width_max_pred, width_max_true: greatest widths, px. length_pred, length_true: lengths of the centrelines, px.
skeleton_matched: pixels of both skeletons paired one to one within 0.75 % of the image diagonal."""

MOVEMENTS = ["dilated", "eroded", "up", "down", "left", "right"]
MOVED = [f"{count}_{how}" for how in MOVEMENTS for count in ("tp", "fn")]
"""Counts against the truth dilated or eroded by 1 px, or shifted by 1 px up, down, left or right; see
``bench.metrics.moved_labels``. fp_HOW = tp + fp - tp_HOW."""

THIN = ["thin_pred", "thin_pred_hit_4px", "thin_true", "thin_true_hit_4px", "thin_matched"]
"""As the columns of centrelines and skeleton_matched, of both masks thinned as ``thin`` of scikit-image does."""

RESIZED = ["tp_256px", "fp_256px", "fn_256px"]
"""Counts after both masks are resized to 256 x 256 px, nearest neighbour."""

LATER = [*SHAPES, *MOVED, *THIN, *RESIZED]
"""Columns of each image that older files lack; they are read as NaN."""

IMAGES = [*CELL, "item", "photo", "batch", *COUNTS]
IMAGES += ["pred_hit_2px", "true_hit_2px", "pred_hit_5px", "true_hit_5px"]
IMAGES += ["skeleton_pred", "skeleton_pred_hit", "skeleton_true", "skeleton_true_hit"]
IMAGES += ["centreline_pred_hit_4px", "centreline_true_hit_4px", "boundary_both", "boundary_pred", "boundary_true"]
IMAGES += ["ignored", "best_threshold", "best_f1", "aiu", "average_precision", "expected_calibration_error"]
IMAGES += LATER
"""One row per test image and run; all counts in pixels at p >= 0.5.

batch: number of the evaluation batch the item falls into, from 0.
pred_hit_Tpx: predicted crack pixels within T px (Euclidean) of a true one; true_hit_Tpx: the reverse.
skeleton_pred: pixels of the skeleton of the prediction; skeleton_pred_hit: those inside the true mask; skeleton_true
and skeleton_true_hit: the reverse (clDice needs these four).
centreline_pred_hit_4px: pixels of the skeleton of the prediction within 4 px of the true skeleton;
centreline_true_hit_4px: the reverse.
boundary_pred: predicted crack pixels within 2 % of the image diagonal of their contour; boundary_true: the same for the
true mask; boundary_both: pixels in both.
best_threshold: the lowest level t of 1..255 at which the mask ``floor(256 p) >= t`` has its highest F1 on this image;
best_f1: that F1; both are NaN for an image without crack, as are aiu and average_precision."""

DERIVED_IMAGES = ["best_threshold", "best_f1", "best_tp", "best_fp", "best_fn", "aiu_all_images"]
"""Columns of each image that follow from its histogram; ``bench.metrics.histogram.at_best_threshold`` defines them."""

DERIVED_CURVES = ["miou_mean"]
"""Columns of CURVES that follow from the histograms: the mean over images of the mIoU of each image."""

CURVES = [*CELL, "threshold", "tp", "fp", "fn", "f1_mean"]
"""Counts pooled over the test images of a cell at ``floor(256 p) >= threshold``, threshold 0..255; f1_mean: mean F1 of
its images with crack."""

BATCHES = [*CELL, "batch", "aiu", "average_precision", "expected_calibration_error"]
"""Curve metrics of each evaluation batch, from its pooled counts by threshold; the other metrics of a batch are
computed from sums over images.csv."""

HISTORY = [*CELL, *run.HISTORY]
"""The training curves."""

RECORD = [*CELL, "protocol", "data", "settings", "model_name"]
"""Required keys of each cell's record; newer records also have ``evaluation_batch``, the images per batch."""


@dataclass(frozen=True)
class Scores:
    """All data from which the tables, figures and tests of one dataset are computed.

    Attributes:
        images: columns ``IMAGES``. curves: columns ``CURVES``. history: columns ``HISTORY``.
        cells: run.json of each cell. card: card.json of the prepared dataset. missing: cells that have no
            run; of one that failed, ``failed`` says why.
        batches: columns ``BATCHES``.
        histograms: number of crack, then background, pixels at each level floor(256 p), for the image in the same row
            of ``images``, (N, 2, 256); used to resample the curve metrics; None is written as zeros.
        classes: columns ``class_scores.COLUMNS``; no rows for a dataset of one class.
    """

    images: pd.DataFrame
    curves: pd.DataFrame
    history: pd.DataFrame
    cells: list[dict[str, Any]]
    card: dict[str, Any]
    missing: list[dict[str, Any]]
    batches: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=BATCHES))
    histograms: npt.NDArray[np.uint32] | None = None
    classes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=class_scores.COLUMNS))


TABLES = {
    "images": (IMAGES, "item"),
    "curves": (CURVES, "threshold"),
    "batches": (BATCHES, "batch"),
    "history": (HISTORY, "epoch"),
}
"""Name of a table -> its columns, and the column that sorts its rows within a cell."""


def write(folder: Path, scores: Scores) -> None:
    """Write the scores of one dataset, rows sorted by cell and item."""
    for name, (columns, by) in TABLES.items():
        files.write_csv(folder / f"{name}.csv", getattr(scores, name)[columns].sort_values([*CELL, by]))
    order = scores.images.reset_index(drop=True).sort_values([*CELL, "item"]).index
    histograms = np.zeros((len(order), 2, 256)) if scores.histograms is None else scores.histograms
    with files.atomic_write(folder / "histograms.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, histograms=histograms[order].astype(np.uint32))
    class_scores.write(folder, scores.classes)
    record = {"card": scores.card, "cells": scores.cells, "missing": scores.missing, "schema": SCHEMA}
    files.write_json(folder / "cells.json", record)
    files.write_checksums(folder)


def read(folder: Path) -> Scores:
    """Return the scores of one dataset.

    Raises:
        UserError: a file is missing, damaged, lacks a column or has another version of the format, or a checksum does
            not match.
    """
    cells = files.read_json(folder / "cells.json")
    _require_schema(cells, folder / "cells.json")
    _require_records(cells, folder / "cells.json")
    frames = {}
    for name, (columns, _) in TABLES.items():
        needed = [column for column in columns if column not in ("ignored", *LATER)]
        text, later = ["dataset", "model", "item", "photo"], LATER if name == "images" else ()
        frame = files.read_csv(folder / f"{name}.csv", needed, text, later)
        if "ignored" in columns and "ignored" not in frame:
            frame = frame.assign(ignored=0)
        if name == "images":
            frame = frame.assign(**{column: np.nan for column in LATER if column not in frame})
        foreign = set(frame["dataset"].unique()) - {cells["card"]["dataset"]}
        if foreign:
            raise UserError(f"{folder / f'{name}.csv'} has rows of another dataset: {', '.join(sorted(foreign))}.")
        _require_counts(frame, folder / f"{name}.csv")
        frames[name] = frame
    files.verify(folder, ["cells.json", "histograms.npz", *(f"{name}.csv" for name in frames)])
    histograms = _read_histograms(folder / "histograms.npz", len(frames["images"]))
    for cell in cells["cells"]:
        if cell["settings"].keys() >= {
            "source",
            "prepare",
            "train",
        }:  # older files: the hash had the source of the data in it
            cell["protocol"] = protocol_hash(cell["settings"])
    frames["classes"] = class_scores.read(folder)
    return Scores(**frames, histograms=histograms, cells=cells["cells"], card=cells["card"], missing=cells["missing"])


def _read_histograms(path: Path, images: int) -> npt.NDArray[np.uint32]:
    """Return the histograms of a number of images.

    Raises:
        UserError: the file is missing or damaged, or contains another number of images.
    """
    histograms: npt.NDArray[np.uint32] = files.read_arrays(path, ["histograms"])["histograms"]
    if histograms.shape != (images, 2, 256):
        raise UserError(f"{path} has {len(histograms)} images, images.csv {images}: evaluate this dataset again.")
    return histograms


def _require_schema(cells: Any, path: Path) -> None:
    """Refuse another version of the format; the message names the command that writes the current one."""
    version = cells.get("schema") if isinstance(cells, dict) else None
    if version == SCHEMA:
        return
    if not isinstance(version, int):
        raise UserError(f"{path} does not state the version of its format: evaluate this dataset again.")
    mismatch = f"{path} has version {version} of the score format, this program reads version {SCHEMA}"
    if version > SCHEMA:
        raise UserError(f"{mismatch}: update the program.")
    dataset = path.parent.name
    hint = f"`dvc repro evaluate@{dataset}` evaluates the runs again, without training"
    if path.parent.parent.name != "scores":  # scores of an external model: external/<model>/<dataset>
        model = path.parent.parent.name
        hint = f"score the predictions again: `bench score FOLDER --dataset {dataset} --model {model}`"
    raise UserError(f"{mismatch}: {hint}.")


def _require_records(content: dict[str, Any], path: Path) -> None:
    """Refuse a card or cells without the keys that all tables need."""
    card, cells, missing = (content.get(key) for key in ("card", "cells", "missing"))
    if not isinstance(card, dict) or not isinstance(card.get("dataset"), str):
        raise UserError(f"{path} has no card of a dataset: evaluate this dataset again.")
    if not isinstance(missing, list) or not isinstance(cells, list):
        raise UserError(f"{path} has no lists of cells: evaluate this dataset again.")
    for cell in cells:
        absent = [key for key in RECORD if not isinstance(cell, dict) or key not in cell]
        if absent:
            raise UserError(f"{path}: a cell lacks the key {absent[0]!r}: evaluate this dataset again.")
        if cell["dataset"] != card["dataset"]:
            raise UserError(f"{path} has cells of another dataset: {cell['dataset']!r}.")


def _require_counts(frame: pd.DataFrame, path: Path) -> None:
    """Refuse NaN counts: sums over images would silently skip them."""
    for column in [c for c in (*COUNTS, "skeleton_true", "skeleton_pred", "threshold") if c in frame.columns]:
        wrong = pd.to_numeric(frame[column], errors="coerce").isna()
        if wrong.any():
            row = frame[wrong].iloc[0]
            raise UserError(
                f"{path}: column {column!r} of {row['model']}/{row['seed']} is {row[column]} in line "
                f"{int(wrong.to_numpy().argmax()) + 2}, expected a count: evaluate this dataset again."
            )
