"""A results folder whose rankings and counts are frames of pandas."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.errors import UserError, instead_of
from bench.ranking import check
from bench.ranking.compare import compare
from bench.ranking.leaderboard import leaderboards
from bench.ranking.of_params import default_average, read_declared
from bench.ranking.protocol_name import with_name
from bench.ranking.results import Results
from bench.ranking.standings import Query
from bench.ranking.summary import of_images
from bench.render.tables import Table
from bench.report.settings import ReportSettings
from bench.settings import load_params, own_plugins, section


@dataclass(frozen=True)
class Compared:
    """How a model compares with the others.

    Attributes:
        verdict: one sentence.
        tables: "datasets", "pairs", "places" and "images" as frames, with "caption" and "notes" in their ``attrs``.
    """

    verdict: str
    tables: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class ResultsFolder:
    """The results that a params.yaml declares.

    Attributes:
        folder: where they are.
        params: the content of params.yaml.
    """

    folder: Path
    params: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, params: Path | None) -> "ResultsFolder":
        """Return the results as ``bench.api.read_results``; own plug-ins that params.yaml names can be loaded then."""
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder: give a results folder, such as results/open.")
        within = folder / "params.yaml"
        path = params or (within if within.is_file() else folder.parent / "params.yaml")
        if not path.is_file():
            raise UserError(f"{path} not found: give the file that declares datasets, models and seeds as params=.")
        if own := own_plugins(path):
            os.environ[plugins.OWN] = str(own)
        return cls(folder, load_params(path))

    @property
    def left_out(self) -> dict[str, str]:
        """External models whose scores do not fit the others: id -> reason."""
        return self._ranked[1]

    def leaderboard(
        self, metric: str = "crack_iou", average: str | None = None, datasets: Sequence[str] | None = None,
        resamples: int = 10_000, seed: int = 0,
    ) -> pd.DataFrame:  # fmt: skip
        """Return the ranking as `bench leaderboard` prints it, with the column Protocol in front.

        Its ``attrs`` hold "caption" and "notes". Protocols are ranked apart, one after the other.

        Args:
            metric: id; see `bench list metrics`.
            average: "pooled", "image_mean" or "batch_mean"; None: the headline, if the metric has it.
            datasets: ids to rank on; None: all.
            resamples: of the bootstrap.
            seed: of the bootstrap.

        Raises:
            UserError: the results do not pass the check, or a name is unknown.
        """
        query = self._query(metric, average, resamples, seed)
        tables = leaderboards(self._content, query, self._known(datasets or self._content.datasets), False)
        if not tables:
            raise UserError("no model has a value on all of these datasets: choose another metric or other datasets.")
        frames = []
        for table in tables:
            frame = table.frame.copy()
            frame.insert(0, "Protocol", with_name(table.name.removeprefix("leaderboard_")))
            frames.append(frame)
        ranking = pd.concat(frames, ignore_index=True)
        ranking.attrs = {"caption": " ".join(t.caption for t in tables), "notes": [n for t in tables for n in t.notes]}
        return ranking

    def compare(
        self, model: str, against: str | None = None, metric: str = "crack_iou", average: str | None = None,
        rope: float = 0.01, resamples: int = 10_000, seed: int = 0,
    ) -> Compared:  # fmt: skip
        """Return how a model compares with the others, as `bench compare` prints it.

        Args:
            model: id.
            against: id of the rival; None: the best other model.
            metric: id.
            average: as in ``leaderboard``.
            rope: differences smaller than this count as equal.
            resamples: of the bootstrap.
            seed: of the bootstrap.

        Raises:
            UserError: the results do not pass the check, or a name is unknown.
        """
        found = compare(self._content, self._query(metric, average, resamples, seed), model, against, rope)
        return Compared(found.verdict, {table.name: _frame(table) for table in found.tables})

    def images(self, metrics: Sequence[str] = ("crack_iou",)) -> pd.DataFrame:
        """Return one row per cell and test image: dataset, model, seed, item, photo, the metrics, and the counts.

        Args:
            metrics: ids; nan where a metric is undefined, such as without any crack.

        Raises:
            UserError: a metric is unknown or has no value for a single image.
        """
        rows = self._content.images
        first = ["dataset", "model", "seed", "item", "photo"]
        values = {}
        for name in metrics:
            metric = plugins.load("metrics", name)
            if "image_mean" not in metric.INPUT.averages or (found := of_images(metric, rows, "image_mean")) is None:
                raise UserError(f"{name} has no value for a single image: choose another metric.")
            values[name] = np.asarray(found, float)
        counts = rows.drop(columns=[*first, *values], errors="ignore")  # some columns are a metric already
        return pd.concat([rows[first], pd.DataFrame(values, rows.index), counts], axis=1)

    def check(self) -> pd.DataFrame:
        """Return what `bench check` finds, without a report: columns kind ("finding" or "note") and text.

        Without a row of kind "finding" the results are complete and consistent.
        """
        every, _ = self._read(mixed=True)
        found = [("finding", text) for text in check.findings(every)]
        found += [("note", text) for text in check.notes(every)]
        return pd.DataFrame(found, columns=["kind", "text"])

    @cached_property
    def _ranked(self) -> tuple[Results, dict[str, str]]:
        return self._read(mixed=False)

    @property
    def _content(self) -> Results:
        return self._ranked[0]

    def _read(self, mixed: bool) -> tuple[Results, dict[str, str]]:
        return read_declared(self.params, self.folder, mixed)

    def _query(self, metric: str, average: str | None, resamples: int, seed: int) -> Query:
        if resamples < 100:
            raise UserError(f"resamples is {resamples}: give at least 100.")
        headline = section(self.params, "report", ReportSettings).headline
        return Query(metric, average or default_average(metric, headline), resamples, seed)

    def _known(self, datasets: Sequence[str]) -> list[str]:
        for name in datasets:
            if name not in self._content.datasets:
                raise UserError(f"no dataset {name!r} in these results{instead_of(name, self._content.datasets)}")
        return list(dict.fromkeys(datasets))


def _frame(table: Table) -> pd.DataFrame:
    """Return the frame of a table with its caption and notes."""
    frame = table.frame.copy()
    frame.attrs = {"caption": table.caption, "notes": list(table.notes)}
    return frame
