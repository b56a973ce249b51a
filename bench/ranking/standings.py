"""Where models stand: values, intervals and ranks of those of one protocol, from the per-image scores."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.metrics.histogram import curves
from bench.metrics.ratios import f1, ratio
from bench.ranking.results import Results
from bench.stats.bootstrap import resample

Array = npt.NDArray[np.float64]

SHARED = {"cfd", "forest", "sylvie"}
"""Datasets with photographs in common, as `bench audit` found (results/experiments/data_audit)."""


@dataclass(frozen=True)
class Query:
    """What is compared.

    Attributes:
        metric: name of a file in bench/metrics.
        average: "pooled", "image_mean" or "batch_mean".
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    metric: str
    average: str
    resamples: int = 10_000
    seed: int = 0

    def module(self) -> ModuleType:
        """Return the metric.

        Raises:
            UserError: there is no such metric, or the average is not defined for it.
        """
        module = plugins.load("metrics", self.metric)
        if self.average not in module.INPUT.averages:
            valid = ", ".join(module.INPUT.averages)
            reason = f" ({module.INPUT.undefined[self.average]})" if self.average in module.INPUT.undefined else ""
            raise UserError(f"{self.metric} has no average {self.average!r}{reason}: choose --average from {valid}.")
        return module


@dataclass(frozen=True)
class Standings:
    """Models of one protocol on the datasets that all of them have.

    Attributes:
        protocol: its hash.
        datasets: D ids. models: M ids.
        values: (D, M), the mean over seeds; nan where the metric is undefined.
        draws: values in each resample, (R, D, M); nan where the metric is undefined, the score files hold no
            histograms, or the dataset has a single photograph, which says nothing of another.
        higher_is_better: of the metric.
    """

    protocol: str
    datasets: list[str]
    models: list[str]
    values: Array
    draws: Array
    higher_is_better: bool

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1: times a value, it is a score of which higher is better."""
        return 1 if self.higher_is_better else -1

    @property
    def undefined(self) -> dict[str, list[str]]:
        """Model -> the datasets where the metric of it is undefined, of the models where there are any."""
        holes = {m: np.flatnonzero(np.isnan(self.values[:, i])) for i, m in enumerate(self.models)}
        return {m: [self.datasets[d] for d in where] for m, where in holes.items() if len(where)}

    def only(self, datasets: Sequence[str] | None = None, models: Sequence[str] | None = None) -> "Standings":
        """Return the part with these datasets and models, in their order."""
        d = [self.datasets.index(x) for x in (self.datasets if datasets is None else datasets)]
        m = [self.models.index(x) for x in (self.models if models is None else models)]
        return Standings(
            self.protocol, [self.datasets[i] for i in d], [self.models[i] for i in m],
            self.values[np.ix_(d, m)], self.draws[:, d][:, :, m], self.higher_is_better,
        )  # fmt: skip


def by_protocol(results: Results) -> dict[str, list[str]]:
    """Return the models of each protocol, in the order of the results."""
    of_model = {m: sorted({c["protocol"] for c in results.cells if c["model"] == m}) for m in results.models}
    found: dict[str, list[str]] = {}
    for model, protocols in of_model.items():
        if len(protocols) > 1:
            raise UserError(
                f"{model} has cells of {len(protocols)} protocols ({', '.join(protocols)}): run `bench check`."
            )
        for protocol in protocols:
            found.setdefault(protocol, []).append(model)
    return found


def standings(results: Results, query: Query, datasets: Sequence[str], models: Sequence[str]) -> Standings:
    """Return where these models, all of one protocol, stand on these datasets.

    Raises:
        UserError: a model lacks a dataset, or the metric or its average does not exist.
    """
    metric = query.module()
    chosen = results.summary[
        (results.summary["metric"] == query.metric) & (results.summary["average"] == query.average)
    ]
    table = chosen.groupby(["dataset", "model"])["value"].mean(skipna=False).unstack("model")
    lacking = [f"{d}/{m}" for d in datasets for m in models if d not in table.index or m not in table.columns]
    lacking = lacking or [f"{d}/{m}" for d in datasets for m in models if not _has(results, d, m)]
    if lacking:
        raise UserError(f"no scores of {', '.join(lacking[:5])}: run these cells, or leave the dataset or model out.")
    values = table.loc[list(datasets), list(models)].to_numpy(float)
    draws = np.stack([_draws(results, metric, query, d, models) for d in datasets], axis=1)
    protocol = next(c["protocol"] for c in results.cells if c["model"] == models[0])
    return Standings(protocol, list(datasets), list(models), values, draws, metric.HIGHER_IS_BETTER)


def independent(datasets: Sequence[str]) -> int:
    """Return how many of these datasets there are, those with photographs in common counted as one.

    >>> independent(["cfd", "forest", "volker"])
    2
    """
    return len(set(datasets) - SHARED) + bool(SHARED & set(datasets))


def shared_note(results: Results, datasets: Sequence[str]) -> list[str]:
    """Return what datasets with photographs in common mean for intervals and tests; nothing if there are none."""
    shared = [results.names[d] for d in datasets if d in SHARED]
    if len(shared) < 2:
        return []
    return [
        f"{', '.join(shared[:-1])} and {shared[-1]} have photographs in common but count as independent: intervals "
        "of means over them are too narrow, p values too small."
    ]


def covered(results: Results, model: str) -> list[str]:
    """Return the datasets that a model has scores on, in order."""
    return [d for d in results.datasets if _has(results, d, model)]


def per_image(results: Results, metric: ModuleType, dataset: str, model: str) -> "pd.Series[float]":
    """Return the metric of each image, the mean over seeds, by item; empty where the metric has none."""
    column = metric.INPUT.image_column
    if metric.INPUT.over == "curve" and column is None:
        return pd.Series(dtype=float)
    rows = results.images[(results.images["dataset"] == dataset) & (results.images["model"] == model)]
    values = rows[column] if column else metric.compute(*rows[list(metric.INPUT.columns)].to_numpy(float).T)
    return pd.Series(np.asarray(values, float), index=rows["item"]).groupby(level=0).mean()


def _has(results: Results, dataset: str, model: str) -> bool:
    return any(c["dataset"] == dataset and c["model"] == model for c in results.cells)


def _draws(results: Results, metric: Any, query: Query, dataset: str, models: Sequence[str]) -> Array:
    """Return the resampled metric on one dataset, (R, M); nan where there is nothing to resample.

    Every model is resampled on the same photographs. A model with another number of seeds takes a call of its own,
    which draws the same photographs, as they are drawn first.
    """
    draws = np.full((query.resamples, len(models)), np.nan)
    part = results.images[results.images["dataset"] == dataset].sort_values(["model", "seed", "item"], kind="stable")
    if part["photo"].nunique() < 2:
        return draws
    of_model = {m: rows for m, rows in part.groupby("model") if m in models}
    compute, how, stacked = _resampled(metric, query.average)
    for seeds in sorted({rows["seed"].nunique() for rows in of_model.values()}):
        group = [m for m in models if of_model[m]["seed"].nunique() == seeds]
        first = of_model[group[0]].iloc[: len(of_model[group[0]]) // seeds]
        counts = np.stack([_numbers(results, metric, query.average, of_model[m]) for m in group])
        photos, batches = pd.factorize(first["photo"])[0], first["batch"].to_numpy()
        generator = np.random.default_rng([query.seed, zlib.crc32(dataset.encode())])
        draws[:, [list(models).index(m) for m in group]] = resample(
            compute, counts.reshape(len(group), seeds, len(first), -1), photos, batches, how, query.resamples,
            generator, stacked,
        )  # fmt: skip
    return draws


def _numbers(results: Results, metric: Any, how: str, rows: pd.DataFrame) -> Array:
    """Return what is added up over images to compute a metric, a row for each image."""
    given = metric.INPUT
    if given.over == "images" or (given.image_column and how == "image_mean"):
        columns = list(given.columns) if given.over == "images" else [given.image_column]
        return rows[columns].to_numpy(float)
    histograms = results.histograms[rows.index].astype(np.float64)
    if how != "image_mean":
        return np.concatenate(curves(histograms)[:2], axis=1)  # tp and fp at all thresholds: they add up as counts do
    with_crack = histograms[:, 0].sum(1) > 0  # one threshold for all images: the mean of F1 first, then the best
    f1_of_image = f1(*curves(histograms))
    return np.column_stack([np.where(with_crack[:, None], f1_of_image, 0.0), with_crack])


def _resampled(metric: Any, how: str) -> tuple[Callable[..., Array], str, bool]:
    """Return the metric of sums of ``_numbers``, the average that they are for, and whether it takes one array."""
    given = metric.INPUT
    if given.over == "images":
        return metric.compute, how, False
    if given.image_column and how == "image_mean":
        return lambda value: value, how, False
    if how == "image_mean":
        return lambda sums: metric.compute(ratio(sums[..., :-1], sums[..., -1:])), "pooled", True

    def of_curve(sums: Array) -> Array:
        tp, fp = np.split(sums, 2, axis=-1)
        return np.asarray(metric.compute(tp, fp, tp[..., :1] - tp))

    return of_curve, how, True
