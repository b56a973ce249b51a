"""Counts by class of a dataset of several classes: classes.csv beside its scores; absent for one class."""

from pathlib import Path

import pandas as pd

from bench.formats import files

FILE = "classes.csv"

KEY = ["dataset", "model", "seed", "item", "class"]

COLUMNS = ["dataset", "model", "seed", "item", "photo", "batch", "class", "tp", "fp", "fn"]
"""One row per test image, run and class; class: number of the class, 0 is background; tp, fp, fn: pixels of this class
against all others, of those that are not ignored."""


def write(folder: Path, counts: pd.DataFrame) -> None:
    """Write the counts, rows sorted; without rows there is no file."""
    if counts.empty:
        (folder / FILE).unlink(missing_ok=True)
        return
    files.write_csv(folder / FILE, counts[COLUMNS].sort_values(KEY))


def read(folder: Path) -> pd.DataFrame:
    """Return the counts; no rows for a dataset of one class, and for scores from before classes were counted.

    Raises:
        UserError: the file is damaged, lacks a column, or was there when the scores were written and is missing.
    """
    sums = folder / files.SUMS
    if not (folder / FILE).is_file() and not (sums.is_file() and FILE in sums.read_text(encoding="utf-8")):
        return pd.DataFrame(columns=COLUMNS)
    counts = files.read_csv(folder / FILE, COLUMNS, ["dataset", "model", "item", "photo"])
    files.verify(folder, [FILE])
    return counts
