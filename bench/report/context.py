"""Values shared by the report's tables, figures and page: the results, with intervals and ranks computed once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.ranking import abroad_tables, check, standings
from bench.ranking.abroad import Abroad
from bench.ranking.class_scores import crack_notes
from bench.ranking.few_labels import FewLabels, few_labels
from bench.ranking.results import EXTERNAL, SAMPLE_WARNING, Results
from bench.render.style import Look, looks
from bench.render.tables import COLUMNS, Table
from bench.report.photographs import Photographs
from bench.report.rank import Ranking, rank
from bench.stats.bootstrap import interval

Array = npt.NDArray[np.float64]

RESAMPLES = 10_000
PAGE_RESAMPLES = 2_000
"""Resamples for metrics that only the page shows."""
CURVE_RESAMPLES = 500
"""Resamples for metrics computed from counts at 256 thresholds, which take a hundred times as long."""

MOST_NAMES = 5
"""Maximum number of missing cells that are named; more are only counted."""


@dataclass(frozen=True)
class Values:
    """A results folder and the values derived from it.

    Attributes:
        results: the results as read.
        average: averaging convention of the tables and figures.
        prepared: folder with the prepared datasets; may be missing.
        runs: folder with the runs; may be missing.
        left_out: external models that are not among the results -> the reason.
        highlight: ids of the models to emphasise in figures, in order of preference.
        kept: folder with figures of source images that an earlier report drew of these results; may be missing.
        few: folder with the results of few training images; may be missing.
        drawn: figures drawn so far, name -> files.
        made: tables made so far, name of the function -> tables.
    """

    results: Results
    average: str
    prepared: Path
    runs: Path
    left_out: Mapping[str, str] = field(default_factory=dict)
    highlight: Sequence[str] = ()
    kept: Path = Path("kept")
    few: Path = Path("few_labels")
    drawn: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict, repr=False)
    made: dict[str, list[Table]] = field(default_factory=dict, repr=False)
    _draws: dict[tuple[str, str, str], Array] = field(default_factory=dict, repr=False)

    @cached_property
    def faults(self) -> list[str]:
        """Everything that rules out a ranking: missing cells and ``defects``."""
        return check.findings(self.results)

    @cached_property
    def defects(self) -> list[str]:
        """Findings of the check other than missing cells."""
        return check.findings(replace(self.results, missing=[], failed={})) if self.results.missing else self.faults

    @cached_property
    def missing_cells(self) -> list[str]:
        """Declared cells without results, "<dataset>/<model>/<seed>"."""
        return [name for name in self.results.missing if "/" in name]

    @property
    def progress(self) -> str:
        """How many of the declared cells have results, and which few lack them; empty if all have results."""
        done, missing = len(self.trained), self.missing_cells
        if not missing:
            return ""
        count = sum(name in self.results.failed for name in missing)
        failed = f", {count} failed" if count else ""
        names = f" Missing: {', '.join(missing)}." if len(missing) <= MOST_NAMES else ""
        return f"Training results: {done} of {done + len(missing)} cells so far{failed}.{names}"

    @property
    def obstacles(self) -> list[str]:
        """Why there is no ranking of the results, with missing cells summarised in one line."""
        return ([self.progress] if self.progress and self.results.cells else []) + self.defects

    @cached_property
    def warning(self) -> str:
        """The text above every page: sample data, an unfinished grid."""
        return " ".join(text for text in (SAMPLE_WARNING if self.results.is_sample else "", self.progress) if text)

    @property
    def convention(self) -> str:
        """How the numbers of the tables and figures are averaged, for a caption."""
        external = [c for c in self.results.cells if c["model"] in self.comparable]
        return self.averaged([*self.trained, *external])

    def averaged(self, cells: Sequence[Mapping[str, Any]]) -> str:
        """Return how the numbers of these cells are averaged, over images and over seeds, for a caption."""
        seeds = Counter((c["dataset"], c["model"]) for c in cells).values()
        low, high = min(seeds, default=1), max(seeds, default=1)
        over = f"{high} seeds" if low == high else f"the {low} to {high} seeds of each model"
        return self.results.spelled(self.average) + (f"; mean over {over}" if high > 1 else "")

    @property
    def data(self) -> str:
        """Value of the column ``data`` of every CSV: "sample" for synthetic data, else empty (no such column)."""
        return "sample" if self.results.is_sample else ""

    @property
    def crack_notes(self) -> list[str]:
        """Which classes "crack" is, for captions."""
        return crack_notes(self.results, self.results.datasets)

    @cached_property
    def trained(self) -> list[dict[str, Any]]:
        """Records of the cells trained by the pipeline."""
        return [c for c in self.results.cells if c.get("trained") != EXTERNAL]

    @cached_property
    def external(self) -> list[str]:
        """External models (scored from their predictions), in the order of the results."""
        models = {c["model"] for c in self.results.cells if c.get("trained") == EXTERNAL}
        return [m for m in self.results.models if m in models]

    @cached_property
    def comparable(self) -> list[str]:
        """External models that declare the protocol of the runs; without runs, that of the first external model."""
        protocol = (self.trained or self.results.cells)[0]["protocol"] if self.results.cells else None
        return [
            m for m in self.external if any(c["model"] == m and c["protocol"] == protocol for c in self.results.cells)
        ]

    @cached_property
    def shown(self) -> tuple[list[str], list[str]]:
        """Datasets and models shown in figures and ranks, in the declared order.

        These are all that the pipeline trained, and the comparable external models that cover all these datasets.
        """
        cells = self.trained or self.results.cells
        datasets = [d for d in self.results.datasets if any(c["dataset"] == d for c in cells)]
        complete = [m for m in self.comparable if set(datasets) <= set(standings.covered(self.results, m))]
        trained = {c["model"] for c in self.trained}
        return datasets, [m for m in self.results.models if m in complete or m in trained]

    @cached_property
    def looks(self) -> dict[str, Look]:
        """How each model is drawn."""
        return looks(self.results.models, self.highlight)

    @cached_property
    def preferred(self) -> list[str]:
        """The shown models, highlighted ones first, the others by mean rank."""
        models = self.shown[1]
        if not models:
            return []
        mean_ranks = dict(zip(models, np.nan_to_num(self.ranking.mean_ranks, nan=np.inf), strict=True))
        first = [m for m in self.highlight if m in models]
        return first + sorted((m for m in models if m not in first), key=lambda m: mean_ranks[m])

    @cached_property
    def headline(self) -> pd.DataFrame:
        """The paper's four metrics of each cell: dataset, model, metric, value, low, high."""
        return pd.concat([self.with_interval(metric, self.average) for metric in COLUMNS.values()])

    def with_interval(self, metric: str, average: str, resamples: int = RESAMPLES) -> pd.DataFrame:
        """Return a metric of every cell, mean over seeds, with its 95 % interval (NaN where it cannot be drawn)."""
        summary = self.results.summary
        chosen = summary[(summary["metric"] == metric) & (summary["average"] == average)]
        frame = chosen.groupby(["dataset", "model"], as_index=False)["value"].mean(skipna=False).assign(metric=metric)
        cells = zip(frame["dataset"], frame["model"], strict=True)
        draws = [self.draws(d, m, metric, average, resamples) for d, m in cells]
        low, high = interval(np.array(draws).T) if draws else (np.empty(0), np.empty(0))
        return pd.DataFrame(frame.assign(low=low, high=high))

    def draws(self, dataset: str, model: str, metric: str, average: str, resamples: int = RESAMPLES) -> Array:
        """Return a metric of one cell in each resample, (R,); all models of a dataset share the drawn source images."""
        if (dataset, model, f"{metric}/{average}") not in self._draws:
            models = [m for m in self.results.models if dataset in standings.covered(self.results, m)]
            query = standings.Query(metric, average, resamples)
            draws = standings.compute_standings(self.results, query, [dataset], models).draws[:, 0]
            for i, m in enumerate(models):
                self._draws[(dataset, m, f"{metric}/{average}")] = draws[:, i]
        return self._draws[(dataset, model, f"{metric}/{average}")]

    def means(self, metric: str) -> dict[str, tuple[float, float, float]]:
        """Return model -> mean over the shown datasets, low and high; models that lack a dataset are left out."""
        datasets, models = self.shown
        table = self.headline[self.headline["metric"] == metric].set_index(["dataset", "model"])["value"]
        of_model = {}
        for model in models:
            if all((d, model) in table.index for d in datasets):
                draws = np.mean([self.draws(d, model, metric, self.average) for d in datasets], axis=0)
                low, high = interval(draws[:, None])
                value = float(np.mean([table[(d, model)] for d in datasets]))
                of_model[model] = (value, float(low[0]), float(high[0]))
        return of_model

    @cached_property
    def abroad(self) -> Abroad | None:
        """How the models do on the datasets they were not trained on; None if the stage transfer did not run."""
        return abroad_tables.of_results(self.results)

    @cached_property
    def few_labels(self) -> FewLabels | None:
        """Scores by the number of training images; None if there are none."""
        return few_labels(self.results, self.few)

    @cached_property
    def photographs(self) -> Photographs:
        """The source images and predictions found on disk."""
        return Photographs(self.results, self.shown[0], self.preferred, self.prepared, self.runs)

    @cached_property
    def ranking(self) -> Ranking:
        """Ranks of the shown models by crack IoU on each shown dataset."""
        datasets, models = self.shown
        summary = self.results.summary
        chosen = summary[(summary["metric"] == "crack_iou") & (summary["average"] == self.average)]
        values = chosen.groupby(["dataset", "model"])["value"].mean(skipna=False).unstack("model")
        return rank(values.reindex(index=datasets, columns=models).to_numpy(float))
