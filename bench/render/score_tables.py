"""Tables 3 to 6 of the paper: published and measured scores, their difference and the 95 % interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.render.tables import COLUMNS, Table

TITLES = {"miou": "Crack IoU (printed: mIoU)", "dice": "Dice", "recall": "Recall", "precision": "Precision"}

HEADINGS = {"crack_iou": "Crack IoU", "dice": "Dice", "recall": "Recall", "precision": "Precision"}

KINDS = ("published", "measured", "difference", "95 % interval")

ABLATION_DATASET = "gaps"
"""Dataset of Table 6: its last row equals the Context-CrackNet row of GAPs in Table 4."""

FAIR_ABLATION = ("context_cracknet_skip", "context_cracknet_cagm_skip")
"""Two configurations missing from the paper: with plain skip connections if RFEM is off, so CAGM's output is used."""

MOST_NAMES = 5
"""Maximum number of missing rows that are named; more are only counted."""

MARKS_MEAN = "The marks do not imply a significant difference: see the intervals and the leaderboard."

NOTES = (
    "Difference: measured minus published; empty for synthetic data. Other empty fields: no result, or not published.",
    "95 % interval: of the measured value, from a hierarchical bootstrap over the source images of the test split; "
    "empty if there is only one source image.",
    "Bold: highest value of a column on this dataset, to the printed precision; underlined: second highest; ties share "
    f"the mark. Published values are marked among all models of the paper, declared here or not. {MARKS_MEAN}",
)

Measured = Mapping[tuple[str, str], Mapping[str, tuple[float, float, float]]]
"""(dataset, model) -> metric -> value (mean over seeds), low and high end of its 95 % interval."""


def intervals_by_cell(values: pd.DataFrame) -> dict[tuple[str, str], dict[str, tuple[float, float, float]]]:
    """Return ``Measured`` from a frame with the columns dataset, model, metric, value, low, high."""
    cells: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    for r in values.to_dict("records"):
        cells.setdefault((r["dataset"], r["model"]), {})[r["metric"]] = r["value"], r["low"], r["high"]
    return cells


def segmentation_tables(
    measured: Measured, average: str, names: Mapping[str, str], models: Sequence[str], external: Sequence[str],
    printed: pd.DataFrame, synthetic: bool,
) -> list[Table]:  # fmt: skip
    """Return Tables 3, 4 and 5, restricted to the declared datasets.

    Args:
        measured: the measured scores.
        average: how they are averaged, for the caption.
        names: id -> display name, for all declared datasets and models.
        models: ids of the declared models; those that are not in the paper follow the paper's.
        external: ids of external models, listed last where they have scores.
        printed: the paper's Tables 3 to 5.
        synthetic: whether the data are synthetic, so that a difference to published scores would be meaningless.
    """
    tables = []
    for number, part in printed.groupby("table"):
        rows = _Rows(measured, synthetic)
        for dataset in [d for d in part["dataset"].unique() if d in names]:
            paper = part[part["dataset"] == dataset].set_index("model")
            others = [m for m in models if m not in paper.index]
            others += [m for m in external if (dataset, m) in measured]
            marked = _published_marks(paper)
            for model in [m for m in paper.index if m in models] + others:
                published: Any = paper.loc[model] if model in paper.index else {}
                labels = {"Dataset": names[dataset], "Model": names[model]}
                rows.add(labels, (dataset, model), published, marked.get(model, {}))
        if rows.rows:
            tables.append(rows.table(f"table{number}", f"Table {number}. Segmentation results ({average}).", NOTES))
    return tables


def scores(
    measured: Measured, average: str, names: Mapping[str, str], datasets: Sequence[str], models: Sequence[str]
) -> Table | None:
    """Return the scores on datasets that the paper does not have, a row per dataset and model; None without scores.

    Args:
        measured: the measured scores.
        average: how they are averaged, for the caption.
        names: id -> display name.
        datasets: ids of the datasets.
        models: ids of the models.
    """
    rows: list[dict[str, Any]] = []
    for dataset, model in ((d, m) for d in datasets for m in models if (d, m) in measured):
        row: dict[str, Any] = {"Dataset": names[dataset], "Model": names[model]}
        for metric in COLUMNS.values():
            value, low, high = measured[(dataset, model)][metric]
            row |= {HEADINGS[metric]: value, f"{HEADINGS[metric]}, 95 % interval": _interval(low, high)}
        rows.append(row)
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    marked: dict[tuple[int, str], str] = {}
    for heading in HEADINGS.values():
        marked |= {(r, heading): m for r, m in marks(frame[heading].tolist(), frame["Dataset"].tolist(), 4).items()}
    notes = [*NOTES[1:2], "Bold: highest value on this dataset; underlined: second highest. " + MARKS_MEAN]
    return Table("scores", f"Scores by dataset ({average}).", frame, dict.fromkeys(HEADINGS.values(), 4), notes, marked)


def table_6(
    measured: Measured, average: str, names: Mapping[str, str], printed: pd.DataFrame, synthetic: bool
) -> Table:
    """Return Table 6, the ablation on GAPs: the authors' four configurations and two with plain skip connections."""
    rows = _Rows(measured, synthetic)
    marked = _published_marks(printed.set_index("model"))
    plain: list[dict[Any, Any]] = [{"model": m, "printed": names.get(m, m)} for m in FAIR_ABLATION]
    for row in printed.to_dict("records") + plain:
        labels = {"Configuration": row["printed"]}
        rows.add(labels, (ABLATION_DATASET, row["model"]), row, marked.get(row["model"], {}))
    notes = [
        *NOTES,
        "In the authors' code, the decoder has no skip connection where RFEM is off, so CAGM's output is not used: "
        '"CAGM Only" computes the same function as "Baseline".',
        "The configurations with plain skips are not in the paper; in them, CAGM's output reaches the decoder.",
    ]
    return rows.table("table6", f"Table 6. Ablation on GAPs ({average}).", notes)


class _Rows:
    """Rows of one table, collected with their marks and the names of rows without a measurement."""

    def __init__(self, measured: Measured, synthetic: bool) -> None:
        self.measured, self.synthetic = measured, synthetic
        self.rows: list[dict[str, Any]] = []
        self.groups: list[str] = []
        self.missing: list[str] = []
        self.marks: dict[tuple[int, str], str] = {}

    def add(self, labels: dict[str, str], cell: tuple[str, str], published: Any, marked: Mapping[str, str]) -> None:
        """Add the row of a cell, with the marks of its published values (heading -> mark)."""
        scores = self.measured.get(cell, {})
        self.missing += [] if scores else ["/".join(labels.values())]
        self.marks |= {(len(self.rows), heading): mark for heading, mark in marked.items()}
        self.rows.append(labels | _compare(published, scores, self.synthetic))
        self.groups.append(cell[0])

    def table(self, name: str, caption: str, notes: Sequence[str]) -> Table:
        """Return the table, with the measured values of each dataset marked too."""
        frame = pd.DataFrame(self.rows)
        digits = {f"{t}, {kind}": 4 for t in TITLES.values() for kind in KINDS[:3]}
        marked = dict(self.marks)
        for title in (f"{t}, {KINDS[1]}" for t in TITLES.values()):
            marked |= {(row, title): mark for row, mark in marks(frame[title].tolist(), self.groups, 4).items()}
        return Table(name, caption, frame, digits, [*notes, *self._missing_note()], marked)

    def _missing_note(self) -> list[str]:
        """Return a note on the rows without a measurement; named if they are few."""
        if not self.missing:
            return []
        names = f": {', '.join(self.missing)}" if len(self.missing) <= MOST_NAMES else ""
        return [f"Without results so far: {len(self.missing)} of {len(self.rows)} rows{names}."]


def marks(values: Sequence[float], groups: Sequence[str], digits: int) -> dict[int, str]:
    """Return the rows with the highest and second-highest value of their group, compared to the printed precision.

    Equal values share a mark; a group with fewer than two values gets none.

    >>> marks([0.5, 0.7, 0.7, 0.6, float("nan")], ["a"] * 5, 4)
    {1: 'best', 2: 'best', 3: 'second'}
    """
    rounded = np.round(np.asarray(values, float), digits)
    marked = {}
    for group in dict.fromkeys(groups):
        rows = [i for i, g in enumerate(groups) if g == group and np.isfinite(rounded[i])]
        ordered = sorted({rounded[i] for i in rows}, reverse=True)
        for i in rows if len(rows) > 1 else ():
            if (place := ordered.index(rounded[i])) < 2:
                marked[i] = ("best", "second")[place]
    return marked


def _published_marks(paper: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return model -> heading -> mark for the published values of one dataset, a frame indexed by model."""
    marked: dict[str, dict[str, str]] = {}
    for column, title in TITLES.items():
        for row, mark in marks(paper[column].tolist(), [""] * len(paper), 4).items():
            marked.setdefault(str(paper.index[row]), {})[f"{title}, {KINDS[0]}"] = mark
    return marked


def _compare(paper: Any, measured: Mapping[str, tuple[float, float, float]], synthetic: bool) -> dict[str, Any]:
    """Return published value, measured value, difference and interval of the four metrics."""
    row: dict[str, Any] = {}
    for column, metric in COLUMNS.items():
        theirs = float(paper[column]) if column in paper else float("nan")
        ours, low, high = measured.get(metric, (float("nan"),) * 3)
        cells = theirs, ours, float("nan") if synthetic else ours - theirs, _interval(low, high)
        row |= {f"{TITLES[column]}, {kind}": cell for kind, cell in zip(KINDS, cells, strict=True)}
    return row


def _interval(low: float, high: float) -> str:
    """Return an interval as printed, "" if it is not known."""
    return f"{low:.3f}–{high:.3f}" if np.isfinite([low, high]).all() else ""
