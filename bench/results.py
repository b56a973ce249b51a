"""Read a results folder into the frames that tables and figures are made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.formats import cost, scores
from bench.paper import TABLES, published
from bench.stats.averaging import average

EXTERNAL = "external"
"""Folder below the results where `bench score` writes: external/<model>/<dataset>."""


@dataclass(frozen=True)
class Results:
    """All that a report is made of.

    Attributes:
        datasets: ids in the order of params.yaml. models: likewise.
        names: id -> display name, of datasets and models.
        summary: one row per cell, metric and average: dataset, model, seed, metric, average, value.
        images: per-image counts of all datasets, ``scores.IMAGES``.
        curves: counts by threshold of each cell, ``scores.CURVES``.
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
    curves: pd.DataFrame
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


def read(
    folder: Path,
    datasets: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int],
    external: Sequence[str] = (),
    mixed: bool = False,
) -> Results:
    """Return the results of the declared cells; what is missing is named, what was dropped from the lists is left out.

    Args:
        folder: the results.
        datasets: declared ones, by id.
        models: likewise.
        seeds: likewise.
        external: models whose predictions came from elsewhere (``bench score``); all their cells are taken, whatever
            protocol they declare: whoever ranks keeps protocols apart.
        mixed: whether the declared cells may follow different protocols; for a check that says so itself.

    Raises:
        UserError: there is nothing at all, a file is damaged, or the cells follow different protocols.
    """
    found = {d: scores.read(folder / "scores" / d) for d in datasets if (folder / "scores" / d).is_dir()}
    costs = {m: cost.read(path) for m in models if (path := folder / "cost" / f"{m}.json").is_file()}
    elsewhere = list(_external(folder, datasets, external))
    if not found and not costs and not elsewhere:
        raise UserError(f"{folder} holds neither scores nor costs: run `dvc repro` first.")
    cells = [c for part in found.values() for c in part.cells if c["model"] in models and c["seed"] in seeds]
    if not mixed:
        _one_protocol(cells, folder)
    images, curves, history = (
        _concat([getattr(part, kind) for part in found.values()], models, seeds)
        for kind in ("images", "curves", "history")
    )
    for part in elsewhere:
        cells += part.cells
        images, curves = pd.concat([images, part.images]), pd.concat([curves, part.curves])
    images, curves = images.reset_index(drop=True), curves.reset_index(drop=True)
    done = {(c["dataset"], c["model"], c["seed"]) for c in cells}
    missing = [f"{d}/{m}/{s}" for d in datasets for m in models for s in seeds if (d, m, s) not in done]
    missing += [f"cost of {m}" for m in models if m not in costs]
    names = {d: plugins.load("datasets", d).CARD.name for d in datasets}
    names |= {m: plugins.load("models", m).NAME for m in models if m not in {c["model"] for c in cells}}
    names |= {c["model"]: c["model_name"] for c in cells}
    cards = {part.card["dataset"]: part.card for part in [*elsewhere, *found.values()]}
    return Results(
        list(datasets), [*models, *external], names, summarise(images, curves), images, curves, history, cells,
        cards, costs, missing, {name: published(name) for name in TABLES},
    )  # fmt: skip


def summarise(images: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Return every metric under every average that is defined for it, of each cell.

    Columns: dataset, model, seed, metric, average, value.
    """
    rows = []
    metrics = {name: plugins.load("metrics", name) for name in plugins.names("metrics")}
    curve_of = dict(list(curves.groupby(scores.CELL, sort=True))) if len(curves) else {}
    for cell, part in images.groupby(scores.CELL, sort=True) if len(images) else ():
        for name, metric in metrics.items():
            for how in metric.INPUT.averages:
                rows.append((*cell, name, how, evaluate(metric, part, curve_of.get(cell), how)))
    return pd.DataFrame(rows, columns=[*scores.CELL, "metric", "average", "value"])


def evaluate(metric: Any, images: pd.DataFrame, curve: pd.DataFrame | None, how: str) -> float:
    """Return a metric of one cell under one average.

    Args:
        metric: a module of bench/metrics.
        images: the cell's rows of images.csv.
        curve: its rows of curves.csv, by threshold; None gives nan.
        how: one of ``metric.INPUT.averages``.
    """
    given = metric.INPUT
    if given.over == "images":
        counts = images[list(given.columns)].to_numpy(float)
        return average(metric.compute, counts, images["batch"].to_numpy(), how)
    if how == "image_mean" and given.image_column:
        values = images[given.image_column].to_numpy(float)
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    if curve is None:
        return float("nan")
    return float(metric.compute(*curve.sort_values("threshold")[list(given.columns)].to_numpy(float).T))


def external_models(folder: Path) -> list[str]:
    """Return the names of the models whose predictions came from elsewhere, sorted."""
    return sorted(p.name for p in (folder / EXTERNAL).glob("*") if p.is_dir())


def _external(folder: Path, datasets: Sequence[str], models: Sequence[str]) -> Iterator[scores.Scores]:
    """Yield the scores of models from elsewhere, for each dataset they were scored on."""
    for model in models:
        places = [place for d in datasets if (place := folder / EXTERNAL / model / d).is_dir()]
        if not places:
            raise UserError(f"{folder / EXTERNAL / model} holds no scores: run `bench score` for this model first.")
        yield from map(scores.read, places)


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
