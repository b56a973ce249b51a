"""Results of a transfer: how each run of a dataset does on the test images of all datasets, counts only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats import files

CLEAN = "clean"
"""Condition of images that are not corrupted."""

TARGETS = ["target", "condition", "item", "photo", "pixels", "crack", "seen"]
"""target: dataset of the test image; condition: clean, or the corruption; item: name of the image; photo: its source
image; pixels: number that is not ignored; crack: number of these that is crack; seen: 1 if its source image
was used for training or validation too."""


@dataclass(frozen=True)
class Transfer:
    """What the runs of one dataset predict on the test images of all datasets.

    Attributes:
        targets: the test images, columns ``TARGETS``.
        counts: true and false positives at 0.5, uint32 (runs, images, 2).
        histograms: of floor(256 p), pixels of background and of crack, uint64 (runs, groups, 2, 256); the groups are
            those of ``targets`` with equal target and condition, in their order; images seen in training included.
        runs: record of each run: dataset, model, model_name, seed, protocol, data, program, hardware.
        missing: model and seed of the cells without a run.
    """

    targets: pd.DataFrame
    counts: npt.NDArray[np.uint32]
    histograms: npt.NDArray[np.uint64]
    runs: list[dict[str, Any]]
    missing: list[dict[str, Any]]


def group_of(targets: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the number of the group of each test image."""
    return np.asarray(targets.groupby(["target", "condition"], sort=False).ngroup(), np.int64)


def only(transfer: Transfer, models: Sequence[str], seeds: Sequence[int]) -> Transfer:
    """Return the part with these models and seeds."""
    rows = [i for i, run in enumerate(transfer.runs) if run["model"] in models and run["seed"] in seeds]
    runs = [transfer.runs[i] for i in rows]
    return replace(transfer, counts=transfer.counts[rows], histograms=transfer.histograms[rows], runs=runs)


def write(folder: Path, transfer: Transfer) -> None:
    """Write the results of one dataset."""
    files.write_csv(folder / "targets.csv", transfer.targets[TARGETS])
    with files.atomic_write(folder / "counts.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, counts=transfer.counts, histograms=transfer.histograms)
    files.write_json(folder / "runs.json", {"runs": transfer.runs, "missing": transfer.missing})
    files.write_checksums(folder)


def read(folder: Path) -> Transfer:
    """Return the results of one dataset.

    Raises:
        UserError: a file is missing or damaged, a checksum does not match, or the files do not match each other.
    """
    targets = files.read_csv(folder / "targets.csv", TARGETS, text=["target", "condition", "item", "photo"])
    content = files.read_object(folder / "runs.json", {"runs": list, "missing": list})
    files.verify(folder, ["targets.csv", "runs.json", "counts.npz"])
    arrays = files.read_arrays(folder / "counts.npz", ["counts", "histograms"])
    groups = int(group_of(targets).max()) + 1
    for name, size in {"counts": (len(targets), 2), "histograms": (groups, 2, 256)}.items():
        expected = (len(content["runs"]), *size)
        if arrays[name].shape != expected:
            raise UserError(f"{folder / 'counts.npz'}: {name} {arrays[name].shape}, expected {expected}: run again.")
    return Transfer(targets, arrays["counts"], arrays["histograms"], content["runs"], content["missing"])


def frame(transfer: Transfer, keys: Sequence[str] = ("model", "seed")) -> pd.DataFrame:
    """Return a row per run and test image: the run's ``keys``, ``TARGETS``, tp, fp and fn."""
    parts = [_rows(transfer, number, run, keys) for number, run in enumerate(transfer.runs)]
    return pd.concat(parts, ignore_index=True)


def _rows(transfer: Transfer, number: int, run: Mapping[str, Any], keys: Sequence[str]) -> pd.DataFrame:
    tp, fp = transfer.counts[number].astype(np.int64).T
    table = transfer.targets.assign(tp=tp, fp=fp, fn=transfer.targets["crack"] - tp)
    return table.assign(**{key: run[key] for key in keys})
