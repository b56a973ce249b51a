"""What the report's tables, figures and page share: the results, with intervals and ranks computed once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import plugins
from bench.ranking import check, standings
from bench.ranking.results import SAMPLE_WARNING, Results
from bench.render.tables import COLUMNS
from bench.report.photographs import Photographs
from bench.stats.bootstrap import interval, resample
from bench.stats.ranks import cliques, critical_difference, ranks

Array = npt.NDArray[np.float64]


RESAMPLES = 10_000
PAGE_RESAMPLES = 2_000
"""Of the metrics that only the page shows."""
CURVE_RESAMPLES = 500
"""Of those that are computed from counts at 256 thresholds, which takes a hundred times as long."""

WIDTHS_PX = (0, 2, 3, 4, 6, 9, np.inf)
"""Ends of the classes of crack width: about equal steps of its logarithm, from a hairline to a joint."""


@dataclass(frozen=True)
class Values:
    """A results folder and what is derived from it.

    Attributes:
        results: as read.
        average: averaging convention of the tables and figures.
        prepared: folder with the prepared datasets. runs: folder with the runs; both may be absent.
        left_out: models from elsewhere that are not among the results -> why.
        drawn: figures drawn so far, name -> files.
    """

    results: Results
    average: str
    prepared: Path
    runs: Path
    left_out: Mapping[str, str] = field(default_factory=dict)
    drawn: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict, repr=False)
    _draws: dict[tuple[str, str, str], Array] = field(default_factory=dict, repr=False)

    @cached_property
    def faults(self) -> list[str]:
        """What forbids a ranking."""
        return check.findings(self.results)

    @cached_property
    def warning(self) -> str:
        """What stands above everything: sample data, an unfinished grid."""
        cells = [name for name in self.results.missing if "/" in name]
        parts = [SAMPLE_WARNING] if self.results.is_sample else []
        if cells:
            total = len(self.results.datasets) * len(set(self.results.models) - set(self.elsewhere))
            done = len({(c["dataset"], c["model"]) for c in self.own})
            parts.append(f"UNFINISHED: {done} of {total} dataset-model pairs have results; {len(cells)} cells missing.")
        return " ".join(parts)

    @property
    def convention(self) -> str:
        """How the numbers of the tables and figures are averaged, for a caption."""
        elsewhere = [c for c in self.results.cells if c["model"] in self.comparable]
        return self.averaged([*self.own, *elsewhere])

    def averaged(self, cells: Sequence[Mapping[str, Any]]) -> str:
        """Return how the numbers of some cells are averaged, for a caption: over what, and over how many seeds."""
        seeds = Counter((c["dataset"], c["model"]) for c in cells).values()
        low, high = min(seeds, default=1), max(seeds, default=1)
        over = f"{high} seeds" if low == high else f"the {low} to {high} seeds of each model"
        return self.results.spelled(self.average) + (f"; mean over {over}" if high > 1 else "")

    @property
    def data(self) -> str:
        """What every CSV says of itself in a column: "sample" where the data are synthetic, else nothing."""
        return "sample" if self.results.is_sample else ""

    @cached_property
    def own(self) -> list[dict[str, Any]]:
        """Records of the cells that the pipeline trained."""
        return [c for c in self.results.cells if c.get("trained") != "external"]

    @cached_property
    def elsewhere(self) -> list[str]:
        """Models whose predictions came from elsewhere, in the order of the results."""
        found = {c["model"] for c in self.results.cells if c.get("trained") == "external"}
        return [m for m in self.results.models if m in found]

    @cached_property
    def comparable(self) -> list[str]:
        """Those of them that declare the protocol of the runs; without runs, of the first of them."""
        protocol = (self.own or self.results.cells)[0]["protocol"] if self.results.cells else None
        return [
            m for m in self.elsewhere if any(c["model"] == m and c["protocol"] == protocol for c in self.results.cells)
        ]

    @cached_property
    def ran(self) -> tuple[list[str], list[str]]:
        """Datasets and models that figures and ranks show, in the declared order.

        All that the pipeline trained, and the comparable models from elsewhere that have all these datasets.
        """
        cells = self.own or self.results.cells
        datasets = [d for d in self.results.datasets if any(c["dataset"] == d for c in cells)]
        complete = [m for m in self.comparable if set(datasets) <= set(standings.covered(self.results, m))]
        return datasets, [m for m in self.results.models if m in complete or any(c["model"] == m for c in self.own)]

    @cached_property
    def headline(self) -> pd.DataFrame:
        """The four metrics of the paper: dataset, model, metric, value, low, high."""
        return pd.concat([self.with_interval(metric, self.average) for metric in COLUMNS.values()])

    def with_interval(self, metric: str, average: str, resamples: int = RESAMPLES) -> pd.DataFrame:
        """Return a metric of every cell, mean over seeds, with its 95 % interval (nan where it cannot be resampled)."""
        summary = self.results.summary
        chosen = summary[(summary["metric"] == metric) & (summary["average"] == average)]
        frame = chosen.groupby(["dataset", "model"], as_index=False)["value"].mean(skipna=False).assign(metric=metric)
        cells = zip(frame["dataset"], frame["model"], strict=True)
        draws = [self.draws(d, m, metric, average, resamples) for d, m in cells]
        low, high = interval(np.array(draws).T) if draws else (np.empty(0), np.empty(0))
        found: pd.DataFrame = frame.assign(low=low, high=high)
        return found

    def draws(self, dataset: str, model: str, metric: str, average: str, resamples: int = RESAMPLES) -> Array:
        """Return a metric of one cell in each resample, (R,): the same photographs for all models of a dataset."""
        if (dataset, model, f"{metric}/{average}") not in self._draws:
            models = [m for m in self.results.models if dataset in standings.covered(self.results, m)]
            query = standings.Query(metric, average, resamples)
            found = standings.compute_standings(self.results, query, [dataset], models).draws[:, 0]
            for i, m in enumerate(models):
                self._draws[(dataset, m, f"{metric}/{average}")] = found[:, i]
        return self._draws[(dataset, model, f"{metric}/{average}")]

    def means(self, metric: str) -> dict[str, tuple[float, float, float]]:
        """Return model -> mean over all datasets that have results, low and high; only models that have them all."""
        datasets, models = self.ran
        table = self.headline[self.headline["metric"] == metric].set_index(["dataset", "model"])["value"]
        found = {}
        for model in models:
            if all((d, model) in table.index for d in datasets):
                draws = np.mean([self.draws(d, model, metric, self.average) for d in datasets], axis=0)
                low, high = interval(draws[:, None])
                value = float(np.mean([table[(d, model)] for d in datasets]))
                found[model] = (value, float(low[0]), float(high[0]))
        return found

    @cached_property
    def photographs(self) -> Photographs:
        """The source images and predictions that are on disk."""
        return Photographs(self.results, *self.ran, self.prepared, self.runs)

    @cached_property
    def ranking(self) -> "Ranking":
        """Crack IoU by dataset and model, with ranks."""
        datasets, models = self.ran
        chosen = self.headline[self.headline["metric"] == "crack_iou"]
        values = chosen.pivot(index="dataset", columns="model", values="value").reindex(index=datasets, columns=models)
        return rank(values.to_numpy(float))


@dataclass(frozen=True)
class Ranking:
    """Ranks over datasets.

    Attributes:
        ranks: within each dataset, 1 is best, (D, M), nan where not run.
        mean_ranks: (M,), nan for a model that lacks a dataset.
        difference: Nemenyi's critical difference. cliques: groups that it cannot tell apart; both for complete grids.
    """

    ranks: Array
    mean_ranks: Array
    difference: float
    cliques: list[list[int]]


def rank(values: Array) -> Ranking:
    """Return the ranking of scores (D, M), higher is better, nan where a cell is missing."""
    placed = np.full(values.shape, np.nan)
    for row, scores in enumerate(values):
        known = np.isfinite(scores)
        placed[row, known] = ranks(scores[known])
    mean_ranks = placed.mean(0)
    difference, groups = float("nan"), []
    if np.isfinite(mean_ranks).all() and min(values.shape) > 1:
        difference = critical_difference(values.shape[1], values.shape[0])
        groups = cliques(mean_ranks, difference)
    return Ranking(placed, mean_ranks, difference, groups)


def iou_by_width(images: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return pooled crack IoU of the images in each class of crack width.

    Columns: bin, order, images, model, value, low, high.

    The width of the crack in an image is the area of the true mask over the length of its skeleton, both in pixels;
    diagonal steps count as one pixel, so that oblique cracks look up to 1.4 times as wide. Images without crack are
    left out. Intervals resample photographs within the class, over all datasets.
    """
    known = images[images["skeleton_true"] > 0]
    width = (known["tp"] + known["fn"]) / known["skeleton_true"]
    order = np.digitize(width, WIDTHS_PX[1:-1])
    metric = plugins.load("metrics", "crack_iou")
    rows: list[dict[str, Any]] = []
    for number, (low, high) in enumerate(pairwise(WIDTHS_PX)):
        label = f"< {high:g}" if low == 0 else f"≥ {low:g}" if high == np.inf else f"{low:g}–{high:g}"
        part = known[order == number]
        size = len(part[["dataset", "item"]].drop_duplicates())
        for model in models:
            own = part[part["model"] == model].groupby(["dataset", "photo", "item"])[["tp", "fp", "fn", "tn"]].sum()
            row = {"bin": label, "order": number, "images": size, "model": model}
            rows.append(row | _pooled(metric.compute, own))
    return pd.DataFrame(rows)


def _pooled(compute: Any, counts: pd.DataFrame) -> dict[str, float]:
    """Return the pooled metric of images with its interval."""
    if counts.empty:
        return dict.fromkeys(("value", "low", "high"), float("nan"))
    photos = np.asarray(counts.groupby(level=[0, 1], sort=False).ngroup(), np.int64)
    table = counts.to_numpy(float)
    generator = np.random.default_rng(0)
    draws = resample(compute, table[None, None], photos, np.zeros(len(table), int), "pooled", 1000, generator)
    low, high = interval(draws)
    value = float(compute(*table.sum(0)[:, None])[0])
    ends = (float(low[0]), float(high[0])) if photos.max() > 0 else (float("nan"),) * 2  # one says nothing of another
    return {"value": value, "low": ends[0], "high": ends[1]}
