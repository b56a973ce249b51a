"""Read a results folder into the frames that tables and figures are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.formats import cost, scores
from bench.paper import TABLES, published
from bench.stats.averaging import AVERAGES, average


@dataclass(frozen=True)
class Results:
    """All that a report is made of.

    Attributes:
        datasets: ids in the order of params.yaml. models: likewise.
        names: id -> display name, of datasets and models.
        summary: one row per cell, metric and average: dataset, model, seed, metric, average, value.
        images: per-image counts of all datasets, ``scores.IMAGES``.
        history: training curves of all datasets, ``scores.HISTORY``.
        cells: run.json of each cell.
        cards: card.json of each prepared dataset, by id.
        costs: cost of each measured model, by id.
        missing: what is declared and not there, as "<dataset>/<model>/<seed>", "<dataset>" or "cost of <model>".
        published: the paper's tables.
    """

    datasets: list[str]
    models: list[str]
    names: dict[str, str]
    summary: pd.DataFrame
    images: pd.DataFrame
    history: pd.DataFrame
    cells: list[dict[str, Any]]
    cards: dict[str, dict[str, Any]]
    costs: dict[str, dict[str, Any]]
    missing: list[str]
    published: dict[str, pd.DataFrame]

    @property
    def is_sample(self) -> bool:
        """Whether any number comes from synthetic data."""
        return any(card["origin"]["source"] == "sample" for card in self.cards.values())


def read(folder: Path, datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int]) -> Results:
    """Return the results of the declared cells; what is missing is named, what was dropped from the lists is left out.

    Raises:
        UserError: there is nothing at all, a file is damaged, or the cells follow different protocols.
    """
    found = {d: scores.read(folder / "scores" / d) for d in datasets if (folder / "scores" / d).is_dir()}
    costs = {m: cost.read(path) for m in models if (path := folder / "cost" / f"{m}.json").is_file()}
    if not found and not costs:
        raise UserError(f"{folder} holds neither scores nor costs: run `dvc repro` first.")
    cells = [c for part in found.values() for c in part.cells if c["model"] in models and c["seed"] in seeds]
    _one_protocol(cells, folder)
    images, history = (
        _concat([getattr(part, kind) for part in found.values()], models, seeds) for kind in ("images", "history")
    )
    done = {(c["dataset"], c["model"], c["seed"]) for c in cells}
    missing = [f"{d}/{m}/{s}" for d in datasets for m in models for s in seeds if (d, m, s) not in done]
    missing += [f"cost of {m}" for m in models if m not in costs]
    names = {d: plugins.load("datasets", d).CARD.name for d in datasets}
    names |= {m: plugins.load("models", m).NAME for m in models if m not in {c["model"] for c in cells}}
    names |= {c["model"]: c["model_name"] for c in cells}
    return Results(
        list(datasets), list(models), names, summarise(images), images, history, cells,
        {d: part.card for d, part in found.items()}, costs, missing, {name: published(name) for name in TABLES},
    )  # fmt: skip


def summarise(images: pd.DataFrame) -> pd.DataFrame:
    """Return every metric under every average for each cell: dataset, model, seed, metric, average, value."""
    rows = []
    metrics = {name: plugins.load("metrics", name).compute for name in plugins.names("metrics")}
    for cell, part in images.groupby(scores.CELL, sort=True) if len(images) else ():
        counts = part[scores.COUNTS].to_numpy(float)
        batches = part["batch"].to_numpy()
        for name, compute in metrics.items():
            rows += [(*cell, name, how, average(compute, counts, batches, how)) for how in AVERAGES]
    return pd.DataFrame(rows, columns=[*scores.CELL, "metric", "average", "value"])


def _concat(frames: list[pd.DataFrame], models: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Return the rows of the declared models and seeds."""
    if not frames:
        return pd.DataFrame(columns=scores.CELL)
    frame = pd.concat(frames, ignore_index=True)
    return frame[frame["model"].isin(models) & frame["seed"].isin(seeds)].reset_index(drop=True)


def _one_protocol(cells: list[dict[str, Any]], folder: Path) -> None:
    """Refuse to put cells of different protocols into one table."""
    by_protocol: dict[str, list[str]] = {}
    for cell in cells:
        by_protocol.setdefault(cell["protocol"], []).append(f"{cell['dataset']}/{cell['model']}/{cell['seed']}")
    if len(by_protocol) > 1:
        groups = "; ".join(f"{key}: {', '.join(names[:3])} ({len(names)} cells)" for key, names in by_protocol.items())
        raise UserError(
            f"{folder} mixes {len(by_protocol)} protocols, which are never ranked together: {groups}. "
            "Run `dvc repro` so that all cells follow params.yaml."
        )
