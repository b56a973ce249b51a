"""The long form of the leaderboard: of each model and dataset the band of a re-run, and what made the score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from bench.ranking.leaderboard import TIERS
from bench.ranking.protocol_name import with_name
from bench.ranking.results import Results
from bench.ranking.states import failures, skipped
from bench.render.tables import Table

COLUMNS = [
    "Model",
    "Dataset",
    "Tier",
    "Seeds",
    "Crack IoU",
    "Re-run, low",
    "Re-run, high",
    "Protocol",
    "Data",
    "Program",
]
DIGITS = dict.fromkeys(["Crack IoU", "Re-run, low", "Re-run, high"], 4)
NARROWEST = 0.02
"""Least half width of a band. **Source:** results/open/README.md, spread between machines."""


def band(committed: Sequence[float]) -> tuple[float, float]:
    """Return where the score of one more training of a cell must lie: the 95 % prediction interval, at least +-0.02.

    A single committed seed says nothing of the spread, so its band is +-0.02.

    >>> [round(x, 3) for x in band([0.50, 0.51, 0.52])]
    [0.46, 0.56]
    """
    mean, count = float(np.mean(committed)), len(committed)
    spread = 0.0
    if count > 1:
        spread = float(np.std(committed, ddof=1)) * float(special.stdtrit(count - 1, 0.975)) * (1 + 1 / count) ** 0.5
    return max(0.0, mean - max(spread, NARROWEST)), min(1.0, mean + max(spread, NARROWEST))


def bands_table(results: Results) -> Table:
    """Return a row for each model and dataset: pooled crack IoU, the band of a re-run, hashes of what made it."""
    images = results.images
    sums = images.groupby(["model", "dataset", "seed"])[["tp", "fp", "fn"]].sum()
    ious = sums["tp"] / sums.sum(axis=1)
    pairs = dict.fromkeys((c["model"], c["dataset"]) for c in results.cells)
    order = sorted(pairs, key=lambda pair: (results.models.index(pair[0]), results.datasets.index(pair[1])))
    rows = [_row(results, model, dataset, ious.loc[model, dataset].tolist()) for model, dataset in order]
    again = "; `bench enter MODEL` trains a row again and says whether it lies in it" if results.track_version else ""
    notes = [
        "Re-run: the 95 % prediction interval of one more training, from the spread of the seeds, at least +-0.02"
        f"{again}. Predictions that were re-scored have no band: nothing was trained here.",
        "Protocol: hash of all settings. Data: of the prepared images and masks. Program: of the code that trains. The "
        "records of the cells hold settings, libraries and hardware, history.csv the training curve.",
        *failures(results), *skipped(results),
    ]  # fmt: skip
    return Table("bands", "What stands behind each score (crack IoU pooled, mean over seeds).",
                 pd.DataFrame(rows, columns=COLUMNS), DIGITS, notes)  # fmt: skip


def _row(results: Results, model: str, dataset: str, ious: Sequence[float]) -> dict[str, Any]:
    cells = [c for c in results.cells if (c["model"], c["dataset"]) == (model, dataset)]
    tier = TIERS.get(results.trained(model), "re-run")
    low, high = band(ious) if tier == "re-run" else (np.nan, np.nan)
    return {
        "Model": results.names[model], "Dataset": results.names[dataset], "Tier": tier,
        "Seeds": ", ".join(str(c["seed"]) for c in sorted(cells, key=lambda c: int(c["seed"]))),
        "Crack IoU": float(np.mean(ious)), "Re-run, low": low, "Re-run, high": high,
        "Protocol": ", ".join(sorted({with_name(str(c["protocol"])) for c in cells if c.get("protocol")})),
        **{name: _hashes(cells, name.lower()) for name in ("Data", "Program")},
    }  # fmt: skip


def _hashes(cells: Sequence[dict[str, Any]], key: str) -> str:
    """Return the hashes in the records of cells, 12 digits each; more than one is a finding of `bench check`."""
    return ", ".join(sorted({str(c[key])[:12] for c in cells if c.get(key)}))
