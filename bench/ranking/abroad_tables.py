"""Tables of crack IoU at home and abroad: per model, and training against test dataset."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau

from bench.errors import UserError
from bench.ranking.abroad import Abroad, mean_of_defined, measure
from bench.ranking.results import Results
from bench.render.tables import Table
from bench.stats.bootstrap import interval
from bench.stats.ranks import ranks


def of_results(results: Results) -> Abroad | None:
    """Return how the models of these results do at home and abroad; None with fewer than two datasets transferred.

    Raises:
        UserError: the runs that were transferred are not those that were scored.
    """
    transfers = {d: results.transfers[d] for d in results.datasets if d in results.transfers}
    if len(transfers) < 2:
        return None
    scored = {(c["dataset"], c["model"], c["seed"]): c for c in results.cells}
    for dataset, transfer in transfers.items():
        for run in transfer.runs:
            cell = scored.get((dataset, run["model"], run["seed"]))
            if cell is not None and any(run[key] != cell[key] for key in ("protocol", "data", "program")):
                raise UserError(
                    f"transfer/{dataset}: {run['model']}/{run['seed']} is not the run that was scored: run "
                    f"`bench transfer` for {dataset} again."
                )
    models = {run["model"] for transfer in transfers.values() for run in transfer.runs}
    found = measure(transfers, [m for m in results.models if m in models])
    return replace(found, absent=[d for d in results.datasets if d not in transfers])


def per_model(found: Abroad, names: Mapping[str, str]) -> Table:
    """Return a row per model: at home, abroad, the drop with its interval, ranks, corruptions and false alarms."""
    home, abroad = found.home, found.abroad
    low, high = interval(found.draws[..., 0] - found.draws[..., 1])
    rank_home, rank_abroad = ranks(home), ranks(abroad)
    rows: list[dict[str, Any]] = []
    for i in np.argsort(-abroad, kind="stable"):
        row = {"Model": names[found.models[i]], "Home": home[i], "Abroad": abroad[i], "Drop": home[i] - abroad[i]}
        row |= {"Low": low[i], "High": high[i], "Rank home": rank_home[i], "Rank abroad": rank_abroad[i]}
        for c, name in enumerate(found.corruptions):
            row[f"Drop, {name}"] = float(mean_of_defined(np.diagonal(found.values[i]) - found.corrupted[i, :, c]))
        for where, (images, alarmed, pixels, false) in zip(("home", "abroad"), found.alarms[i], strict=True):
            row[f"Alarms {where} %"] = 100 * alarmed / images if images else np.nan
            row[f"False area {where} %"] = 100 * false / pixels if pixels else np.nan
        rows.append(row)
    frame = pd.DataFrame(rows)
    digits = dict.fromkeys(list(rows[0])[1:], 4) | {"Rank home": 1, "Rank abroad": 1}
    digits |= {heading: 1 if "Alarms" in heading else 3 for heading in digits if heading.endswith("%")}
    count = len(found.datasets)
    caption = (
        f"Models at home and abroad: crack IoU ({_averaged(found)}), trained on each of {count} datasets, tested on "
        f"it and on the other{f' {count - 1}' if count > 2 else ''}."
    )
    return Table("transfer", caption, frame, digits, _notes(found, names), blank="none")


def _notes(found: Abroad, names: Mapping[str, str]) -> list[str]:
    """Return what the columns mean, and what was left out."""
    notes = [
        "Home: mean over datasets, each model tested on the dataset it was trained on. Abroad: mean over all pairs of "
        "different datasets. Low and High: 95 % bootstrap interval of the drop, over source images of these datasets "
        f"{_seeds_in_interval(found)}.",
        "Alarms: share of test images without crack that have any false-positive pixel. False area: share of the "
        "pixels of these images that is predicted as crack. "
        f"Predictions of such images, per model: {_span(found.alarms[:, 0, 0])} at home, "
        f"{_span(found.alarms[:, 1, 0])} abroad, of {_crackless(found, names)}.",
    ]
    if len(found.models) > 2:
        tau = float(kendalltau(found.home, found.abroad).statistic)
        notes.append(f"Rank correlation of home and abroad (Kendall's tau): {tau:.2f}.")
    if found.corruptions:
        notes.append("Drop, blur and the like: loss of IoU at home when the test images are corrupted.")
    shared = [
        f"{names[a]} to {names[b]}: {found.left_out[i, j]} of {found.images[j]}"
        for (i, a), (j, b) in product(enumerate(found.datasets), repeat=2)
        if found.left_out[i, j]
    ]
    if shared:
        notes.append(f"Test images left out, their source image being in the training set: {'; '.join(shared)}.")
    if found.incomplete:
        missing = ", ".join(names[m] for m in found.incomplete)
        notes.append(f"Left out, no seed has a run on every dataset: {missing}.")
    if found.absent:
        notes.append(f"Left out, not transferred: {', '.join(names[d] for d in found.absent)}.")
    return notes


def _averaged(found: Abroad) -> str:
    """Return in words how a value was averaged over images and seeds."""
    return "pooled, one seed" if found.seeds.max() == 1 else f"pooled, mean over {_span(found.seeds)} seeds"


def _seeds_in_interval(found: Abroad) -> str:
    """Return whether the interval holds the variation between seeds, in words."""
    return "alone: with one seed it lacks the variation between trainings" if found.seeds.max() == 1 else "and seeds"


def _crackless(found: Abroad, names: Mapping[str, str]) -> str:
    """Return the number of test images without crack, by dataset, in words."""
    parts = [f"{n} of {names[d]}" for d, n in zip(found.datasets, found.crackless, strict=True) if n]
    return f"the images without crack: {', '.join(parts)}" if parts else "no image: all have crack"


def _span(numbers: npt.NDArray[np.generic]) -> str:
    """Return the range of whole numbers in words."""
    low, high = int(numbers.min()), int(numbers.max())
    return str(low) if low == high else f"{low} to {high}"


def train_by_test(found: Abroad, names: Mapping[str, str], model: str | None = None) -> Table:
    """Return IoU by training dataset (rows) and test dataset (columns), of one model or the mean over models."""
    values = found.values.mean(0) if model is None else found.values[found.models.index(model)]
    shown = [names[d] for d in found.datasets]
    frame = pd.DataFrame(values, columns=shown)
    frame.insert(0, "Trained on", shown)
    same = np.eye(len(shown), dtype=bool)
    frame["Abroad"] = mean_of_defined(np.where(same, np.nan, values))
    who = f"mean of {len(found.models)} models" if model is None else names[model]
    caption = f"Crack IoU by training and test dataset, {who} ({_averaged(found)})."
    notes = ["Abroad: mean over the other datasets. Test images that share a source image with training are left out."]
    name = "transfer_mean" if model is None else f"transfer_{model}"
    return Table(name, caption, frame, dict.fromkeys([*shown, "Abroad"], 3), notes, blank="none")
