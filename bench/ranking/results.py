"""Read a results folder into the frames that tables and figures are made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.formats import cost, scores
from bench.paper import TABLES, published

EXTERNAL = "external"
"""Folder below the results where `bench score` writes: external/<model>/<dataset>."""


SAMPLE_WARNING = "SAMPLE: synthetic data, made to try the pipeline. Not a result."


@dataclass(frozen=True)
class Results:
    """All that a report is made of.

    Attributes:
        datasets: ids in the order of params.yaml. models: likewise.
        names: id -> display name, of datasets and models.
        summary: one row per cell, metric and average: dataset, model, seed, metric, average, value.
        images: per-image counts of all datasets, ``scores.IMAGES``.
        curves: counts by threshold of each cell, ``scores.CURVES``.
        histograms: pixels of each image by level of probability, in the rows of ``images``, (N, 2, 256).
        history: training curves of all datasets, ``scores.HISTORY``.
        cells: run.json of each cell.
        cards: card.json of each prepared dataset, by id.
        costs: cost of each measured model, by id.
        missing: what is not there: "<dataset>/<model>/<seed>", "cost of <model>", "any score of <model> on these
            datasets".
        published: the paper's tables.
    """

    datasets: list[str]
    models: list[str]
    names: dict[str, str]
    summary: pd.DataFrame
    images: pd.DataFrame
    curves: pd.DataFrame
    histograms: npt.NDArray[np.uint32]
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

    def trained(self, model: str) -> str:
        """Return where a model was trained: "here", or "elsewhere" where only its predictions are from."""
        return next((c["trained"] for c in self.cells if c["model"] == model and "trained" in c), "here")

    def spelled(self, average: str) -> str:
        """Return how numbers are averaged, for a caption: "batch mean of 32" where the cells record the size."""
        size = f" of {self.batch}" if average == "batch_mean" and self.batch else ""
        return average.replace("_", " ") + size

    @property
    def batch(self) -> str:
        """Size of the evaluation batches, or sizes; empty where no cell records it."""
        sizes = {c["evaluation_batch"] for c in self.cells if "evaluation_batch" in c}
        return ", ".join(map(str, sorted(sizes)))


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
    for part in elsewhere:
        cells += part.cells
    parts = [*(_declared(part, models, seeds) for part in found.values()), *elsewhere]
    tables = {kind: _concat([getattr(part, kind) for part in parts], kind) for kind in scores.TABLES}
    histograms = np.concatenate([np.zeros((0, 2, 256), np.uint32), *(part.histograms for part in parts)])
    summary = summarise(tables["images"], tables["curves"], tables.pop("batches"))
    done = {(c["dataset"], c["model"], c["seed"]) for c in cells}
    missing = [f"{d}/{m}/{s}" for d in datasets for m in models for s in seeds if (d, m, s) not in done]
    missing += [f"cost of {m}" for m in models if m not in costs]
    scored = {c["model"] for c in cells}
    missing += [f"any score of {m} on these datasets" for m in external if m not in scored]
    names = {d: plugins.load("datasets", d).CARD.name for d in datasets}
    names |= {m: plugins.load("models", m).NAME for m in models if m not in scored}
    names |= {c["model"]: c["model_name"] for c in cells}
    cards = {part.card["dataset"]: part.card for part in [*elsewhere, *found.values()]}
    return Results(
        list(datasets), [*models, *(m for m in external if m in scored)], names, summary, **tables,
        histograms=histograms, cells=cells, cards=cards, costs=costs, missing=missing,
        published={name: published(name) for name in TABLES},
    )  # fmt: skip


def summarise(images: pd.DataFrame, curves: pd.DataFrame, batches: pd.DataFrame) -> pd.DataFrame:
    """Return every metric under every average that is defined for it, of each cell.

    Columns: dataset, model, seed, metric, average, value. All cells at once: counts are added up per cell, per batch
    or not at all, then the metric is taken, then the mean of what is defined.
    """
    if not len(images):
        return pd.DataFrame(columns=[*scores.CELL, "metric", "average", "value"])
    numbers = images.drop(columns=["item", "photo"])
    of_batch = batches.set_index([*scores.CELL, "batch"]).astype(float)
    counts = numbers.drop(columns=of_batch.columns)
    groups = {
        "pooled": counts.groupby(scores.CELL).sum(),
        "batch_mean": counts.groupby([*scores.CELL, "batch"]).sum().join(of_batch),
        "image_mean": numbers.set_index(scores.CELL),
    }
    metrics = {name: plugins.load("metrics", name) for name in plugins.names("metrics")}
    parts = []
    for how, part in groups.items():
        columns = {n: _of_images(m.INPUT, m.compute, part, how) for n, m in metrics.items() if how in m.INPUT.averages}
        table = pd.DataFrame({n: v for n, v in columns.items() if v is not None}, part.index)
        parts.append(table.groupby(level=scores.CELL).mean().assign(average=how))
        of_curve = {n: metrics[n] for n, v in columns.items() if v is None}
        parts.append(_of_curves(of_curve, curves).assign(average=how))
    order = [*scores.CELL, "metric", "average"]
    long = [part.reset_index().melt([*scores.CELL, "average"], var_name="metric") for part in parts]
    return pd.concat(long).sort_values(order, ignore_index=True)[[*order, "value"]]


def _of_images(given: Any, compute: Any, groups: pd.DataFrame, how: str) -> Any:
    """Return a metric of each group of images; None if it comes from the curve."""
    if given.over == "images":
        return compute(*groups[list(given.columns)].to_numpy(float).T)
    return groups[given.image_column].to_numpy(float) if how != "pooled" and given.image_column else None


def _of_curves(metrics: Mapping[str, Any], curves: pd.DataFrame) -> pd.DataFrame:
    """Return metrics of the counts by threshold of each cell, a column each, indexed by cell."""
    ordered = curves.sort_values([*scores.CELL, "threshold"])
    cells = ordered[ordered["threshold"] == 0].set_index(scores.CELL).index
    if len(ordered) != 256 * len(cells):
        raise UserError("curves.csv must hold the thresholds 0 to 255 of each cell: evaluate these cells again.")
    of_column = {c: ordered[c].to_numpy(float).reshape(-1, 256) for c in ("tp", "fp", "fn", "f1_mean")}
    values = {n: m.compute(*(of_column[c] for c in m.INPUT.columns)) for n, m in metrics.items()}
    return pd.DataFrame(values, cells)


def external_models(folder: Path) -> list[str]:
    """Return the names of the models whose predictions came from elsewhere, sorted."""
    return sorted(p.name for p in (folder / EXTERNAL).glob("*") if p.is_dir())


def refused(results: Results) -> dict[str, str]:
    """Return why a model from elsewhere is in no report and no ranking, by its id: scores that fit nothing here."""
    found = {}
    batches = {c.get("evaluation_batch") for c in results.cells if c.get("trained") != "elsewhere"} - {None}
    for cell in (c for c in results.cells if c.get("trained") == "elsewhere"):
        model, dataset = cell["model"], cell["dataset"]
        if cell["data"] != results.cards[dataset]["content"]:
            found[model] = f"was scored on other data than {dataset} is now; run `bench score` again"
        elif len({c["protocol"] for c in results.cells if c["model"] == model}) > 1:
            found[model] = "declares several protocols; run `bench score` again for all its datasets"
        elif batches and cell.get("evaluation_batch") not in batches | {None}:
            found[model] = (
                f"was scored in batches of {cell['evaluation_batch']} images, unlike the runs; score it again"
            )
    return found


def without(results: Results, models: Mapping[str, str]) -> Results:
    """Return the results without some models."""
    frames = {k: getattr(results, k) for k in ("summary", "images", "curves")}
    frames = {k: frame[~frame["model"].isin(list(models))].reset_index(drop=True) for k, frame in frames.items()}
    cells = [c for c in results.cells if c["model"] not in models]
    histograms = results.histograms[~results.images["model"].isin(list(models)).to_numpy()]
    left = [m for m in results.models if m not in models]
    return replace(results, models=left, cells=cells, histograms=histograms, **frames)


def _external(folder: Path, datasets: Sequence[str], models: Sequence[str]) -> Iterator[scores.Scores]:
    """Yield the scores of models from elsewhere, for each dataset they were scored on."""
    for model in models:
        places = [place for d in datasets if (place := folder / EXTERNAL / model / d).is_dir()]
        yield from map(scores.read, places)


def _declared(part: scores.Scores, models: Sequence[str], seeds: Sequence[int]) -> scores.Scores:
    """Return the rows of the declared models and seeds."""

    def kept(frame: pd.DataFrame) -> Any:
        return frame["model"].isin(models) & frame["seed"].isin(seeds)

    frames = {kind: getattr(part, kind) for kind in scores.TABLES}
    assert part.histograms is not None
    histograms = part.histograms[kept(part.images).to_numpy(bool)]
    return replace(part, **{kind: frame[kept(frame)] for kind, frame in frames.items()}, histograms=histograms)


def _concat(frames: list[pd.DataFrame], kind: str) -> pd.DataFrame:
    """Return tables of one kind as one; those without rows have no say in the types of columns."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=scores.TABLES[kind][0])


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
