"""A finished training run: weights.safetensors, history.csv, run.json and probabilities/ in one folder."""

from pathlib import Path
from typing import Any

import pandas as pd

from bench.formats import files

HISTORY = ["epoch", "lr", "train_loss", "train_iou", "val_loss", "val_iou"]
"""One row per epoch (from 1): learning rate, mean loss and pooled crack IoU over the training items (augmented) and
over the items that select the checkpoint."""

RECORD = ["dataset", "model", "model_name", "seed", "protocol", "settings", "data", "code", "versions", "hardware"]
RECORD += ["epochs", "best_epoch", "seconds", "images_per_s", "peak_memory_mb", "stopped", "source"]
"""Required keys of run.json. protocol: hash of settings; data: content hash of the prepared dataset; code: commit and
dirty flag; stopped: why the training ended."""

KINDS: dict[str, files.Kind] = {
    **dict.fromkeys(RECORD, object),
    **dict.fromkeys(["dataset", "model", "model_name", "protocol", "data", "source"], str),
    **dict.fromkeys(["settings", "code", "versions", "hardware"], dict),
}


def write(folder: Path, record: dict[str, Any], history: pd.DataFrame) -> None:
    """Write history.csv, run.json and the checksums of all files in the folder; call it last."""
    missing = [key for key in RECORD if key not in record]
    if missing:
        raise ValueError(f"run record lacks {missing}")
    write_history(folder, history)
    (folder / files.SUMS).unlink(missing_ok=True)
    files.write_json(folder / "run.json", record)
    files.write_checksums(folder)


def write_history(folder: Path, history: pd.DataFrame) -> None:
    """Write history.csv alone, while the training runs: without run.json the run is not finished."""
    files.write_csv(folder / "history.csv", history[HISTORY])


def read(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return run.json and history.csv of a finished run.

    Raises:
        UserError: a file is missing or damaged, a checksum does not match, or run.json lacks a key.
    """
    record = files.read_object(folder / "run.json", KINDS, "train this cell again")
    history = files.read_csv(folder / "history.csv", HISTORY)
    files.verify(folder, ["run.json", "history.csv"])
    return record, history
