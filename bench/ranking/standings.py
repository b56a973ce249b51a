"""Standings: values and bootstrap draws of the models of one protocol, from the per-image scores."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.ranking.protocol_name import with_name
from bench.ranking.resampling import draw
from bench.ranking.results import Results

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Query:
    """What models are compared by.

    Attributes:
        metric: metric id: the name of a file in bench/metrics.
        average: "pooled", "image_mean" or "batch_mean".
        resamples: number of bootstrap resamples.
        seed: seed of the bootstrap.
    """

    metric: str
    average: str
    resamples: int = 10_000
    seed: int = 0

    def module(self) -> ModuleType:
        """Return the module of the metric.

        Raises:
            UserError: the metric does not exist, or the average is not defined for it.
        """
        module = plugins.load("metrics", self.metric)
        if self.average not in module.INPUT.averages:
            valid = ", ".join(module.INPUT.averages)
            reason = f" ({module.INPUT.undefined[self.average]})" if self.average in module.INPUT.undefined else ""
            raise UserError(f"{self.metric} has no average {self.average!r}{reason}: choose --average from {valid}.")
        return module


@dataclass(frozen=True)
class Standings:
    """Values of the models of one protocol on datasets that all of them cover.

    Attributes:
        protocol: its hash.
        datasets: D ids. models: M ids.
        values: (D, M), the mean over seeds; NaN where the metric is undefined.
        draws: values in each resample, (R, D, M); NaN where the metric is undefined, the score files hold no
            histograms, or the dataset has a single source image, so that nothing can be resampled.
        higher_is_better: direction of the metric.
        source_images: number of source images for testing of each dataset, (D,).
    """

    protocol: str
    datasets: list[str]
    models: list[str]
    values: Array
    draws: Array
    higher_is_better: bool
    source_images: npt.NDArray[np.int64]

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1; sign x value is a score where higher is better."""
        return 1 if self.higher_is_better else -1

    @property
    def undefined(self) -> dict[str, list[str]]:
        """Model -> the datasets where its metric is undefined; only models with at least one."""
        gaps = {m: np.flatnonzero(np.isnan(self.values[:, i])) for i, m in enumerate(self.models)}
        return {m: [self.datasets[d] for d in rows] for m, rows in gaps.items() if len(rows)}

    def only(self, datasets: Sequence[str] | None = None, models: Sequence[str] | None = None) -> "Standings":
        """Return the part with these datasets and models, in the order given."""
        d = [self.datasets.index(x) for x in (self.datasets if datasets is None else datasets)]
        m = [self.models.index(x) for x in (self.models if models is None else models)]
        return Standings(
            self.protocol, [self.datasets[i] for i in d], [self.models[i] for i in m],
            self.values[np.ix_(d, m)], self.draws.take(d, axis=1).take(m, axis=2), self.higher_is_better,
            self.source_images[d],
        )  # fmt: skip


def by_protocol(results: Results) -> dict[str, list[str]]:
    """Return the models of each protocol, in the order of the results."""
    of_model = {m: sorted({c["protocol"] for c in results.cells if c["model"] == m}) for m in results.models}
    groups: dict[str, list[str]] = {}
    for model, protocols in of_model.items():
        if len(protocols) > 1:
            named = ", ".join(map(with_name, protocols))
            raise UserError(f"{model} has cells of {len(protocols)} protocols ({named}): run `bench check`.")
        for protocol in protocols:
            groups.setdefault(protocol, []).append(model)
    return groups


def compute_standings(results: Results, query: Query, datasets: Sequence[str], models: Sequence[str]) -> Standings:
    """Return the standings of these models, all of one protocol, on these datasets.

    Raises:
        UserError: a model lacks a dataset, the metric or its average does not exist, or no score file has its columns.
    """
    metric = query.module()
    chosen = results.summary[
        (results.summary["metric"] == query.metric) & (results.summary["average"] == query.average)
    ]
    if not len(chosen) and len(results.summary):
        raise UserError(
            f"no score file here records {', '.join(metric.INPUT.columns)}, which {query.metric} is computed from: "
            "evaluate the runs again (`dvc repro evaluate`), or choose another --metric."
        )
    table = chosen.groupby(["dataset", "model"])["value"].mean(skipna=False).unstack("model")
    missing = [f"{d}/{m}" for d in datasets for m in models if d not in table.index or m not in table.columns]
    missing = missing or [f"{d}/{m}" for d in datasets for m in models if not _has(results, d, m)]
    if missing:
        raise UserError(f"no scores of {', '.join(missing[:5])}: run these cells, or leave out the dataset or model.")
    values = table.loc[list(datasets), list(models)].to_numpy(float)
    draws = np.stack(
        [draw(results, metric, query.average, d, models, query.resamples, query.seed) for d in datasets], axis=1
    )
    protocol = next(c["protocol"] for c in results.cells if c["model"] == models[0])
    photos = results.images.groupby("dataset")["photo"].nunique().reindex(list(datasets)).to_numpy().astype(np.int64)
    return Standings(
        protocol, list(datasets), list(models), values, draws, metric.HIGHER_IS_BETTER, photos.astype(np.int64)
    )


def independent(datasets: Sequence[str]) -> int:
    """Return the number of independent datasets: those with source images in common count as one.

    >>> independent(["cfd", "forest", "volker"])
    2
    """
    return len(_connected(datasets))


def merged(values: Array, datasets: Sequence[str]) -> Array:
    """Return values (D, ...) with the mean of datasets that have source images in common in place of these, (G, ...).

    Tests over datasets take their inputs as independent; such datasets are not.

    >>> merged(np.array([1.0, 3, 7]), ["cfd", "forest", "volker"]).tolist()
    [2.0, 7.0]
    """
    names = list(datasets)
    return np.stack([values[[names.index(d) for d in group]].mean(0) for group in _connected(names)])


def shared_note(results: Results, datasets: Sequence[str]) -> list[str]:
    """Return how source images shared between datasets affect intervals and tests: a sentence per group of datasets."""
    groups = [[results.names[d] for d in group] for group in _connected(datasets) if len(group) > 1]
    return [
        f"{', '.join(names[:-1])} and {names[-1]} have source images in common: tests take their mean as one dataset; "
        "intervals of means count them as independent and are too narrow."
        for names in groups
    ]


def caveats(results: Results, datasets: Sequence[str], models: Sequence[str]) -> list[str]:
    """Return what intervals over these datasets leave out: shared source images, and the variation between seeds."""
    return [*shared_note(results, datasets), *seed_note(results, datasets, models)]


def seed_note(results: Results, datasets: Sequence[str], models: Sequence[str]) -> list[str]:
    """Return what intervals lack where a model has one seed on a dataset: a sentence that names these models, or []."""
    seeds = Counter((c["dataset"], c["model"]) for c in results.cells)
    single = [m for m in models if any(seeds[d, m] == 1 for d in datasets)]
    if not single:
        return []
    who = "each model" if len(single) == len(models) else ", ".join(results.names[m] for m in single)
    return [
        f"With one seed of {who}, intervals lack the variation between trainings: what they tell apart are these "
        "trainings, and another seed can change it."
    ]


def _connected(datasets: Sequence[str]) -> list[list[str]]:
    """Return the groups of datasets that share source images, directly or through others of these datasets.

    Each card declares them; for the bundled datasets, `bench audit` found them (results/experiments/data_audit).
    """
    shares: dict[str, set[str]] = {d: set() for d in datasets}
    for d in shares:
        for other in shares.keys() & set(plugins.load("datasets", d).CARD.shares_photographs_with):
            shares[d].add(other)
            shares[other].add(d)  # so that one of two cards is enough
    groups: list[list[str]] = []
    for d in shares:
        if not any(d in group for group in groups):
            groups.append([other for other in shares if other in _reached(shares, d)])
    return groups


def _reached(shares: Mapping[str, set[str]], start: str) -> set[str]:
    """Return all names that are connected with ``start``, itself included."""
    reached, todo = {start}, [start]
    while todo:
        new = shares[todo.pop()] - reached
        reached |= new
        todo.extend(new)
    return reached


def covered(results: Results, model: str) -> list[str]:
    """Return the datasets on which a model has scores, in the order of the results."""
    return [d for d in results.datasets if _has(results, d, model)]


def per_image(results: Results, metric: ModuleType, dataset: str, model: str) -> "pd.Series[float]":
    """Return the metric of each image, the mean over seeds, by item; empty if the metric has no value per image."""
    column = metric.INPUT.image_column
    if metric.INPUT.over == "curve" and column is None:
        return pd.Series(dtype=float)
    rows = results.images[(results.images["dataset"] == dataset) & (results.images["model"] == model)]
    values = rows[column] if column else metric.compute(*rows[list(metric.INPUT.columns)].to_numpy(float).T)
    return pd.Series(np.asarray(values, float), index=rows["item"]).groupby(level=0).mean()


def _has(results: Results, dataset: str, model: str) -> bool:
    return any(c["dataset"] == dataset and c["model"] == model for c in results.cells)
