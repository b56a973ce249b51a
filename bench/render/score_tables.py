"""Tables 3 to 6 of the paper: published, measured, their difference and the interval, best and second best marked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.render.tables import COLUMNS, Table

TITLES = {"miou": "Crack IoU (printed: mIoU)", "dice": "Dice", "recall": "Recall", "precision": "Precision"}

KINDS = ("published", "measured", "difference", "95 % interval")

ABLATION_DATASET = "gaps"
"""Dataset of Table 6: its last row is the Context-CrackNet row of GAPs in Table 4."""

FAIR_ABLATION = ("context_cracknet_skip", "context_cracknet_cagm_skip")
"""The two configurations that the paper lacks: plain skips where RFEM is off, so that CAGM's output counts."""

NOTES = (
    "Difference: measured minus published, if the data are real. An empty field: not run, or not published.",
    "95 % interval of what was measured: hierarchical bootstrap over the source photographs of the test split; "
    "none where that is a single photograph.",
    "Bold: highest value of its column on this dataset as printed; underlined: second highest; ties share the mark. "
    "Published values are marked among all models of the paper, whether declared here or not. "
    "Whether the two can be told apart is what the intervals and the leaderboard say.",
)

Measured = Mapping[tuple[str, str], Mapping[str, tuple[float, float, float]]]
"""(dataset, model) -> metric -> value (mean over seeds), low and high end of its 95 % interval."""


def intervals_by_cell(values: pd.DataFrame) -> dict[tuple[str, str], dict[str, tuple[float, float, float]]]:
    """Return ``Measured`` of a frame with the columns dataset, model, metric, value, low, high."""
    found: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    for r in values.to_dict("records"):
        found.setdefault((r["dataset"], r["model"]), {})[r["metric"]] = r["value"], r["low"], r["high"]
    return found


def segmentation_tables(
    measured: Measured, average: str, names: Mapping[str, str], models: Sequence[str], elsewhere: Sequence[str],
    printed: pd.DataFrame, synthetic: bool,
) -> list[Table]:  # fmt: skip
    """Return Tables 3, 4 and 5, as far as their datasets are declared.

    Args:
        measured: what was measured.
        average: how it was averaged, for the caption.
        names: id -> display name, of all declared datasets and models.
        models: ids of the declared models; those that the paper lacks follow its own.
        elsewhere: ids of the models that come last, where they were measured.
        printed: the paper's Tables 3 to 5.
        synthetic: whether the data are, whose difference to published numbers would mean nothing.
    """
    tables = []
    for number, part in printed.groupby("table"):
        rows: list[dict[str, Any]] = []
        groups, absent = [], []
        of_published: dict[tuple[int, str], str] = {}
        for dataset in [d for d in part["dataset"].unique() if d in names]:
            of_paper = part[part["dataset"] == dataset].set_index("model")
            others = [m for m in models if m not in of_paper.index]
            others += [m for m in elsewhere if (dataset, m) in measured]
            marked = _published_marks(of_paper)
            for model in [m for m in of_paper.index if m in models] + others:
                values: Any = of_paper.loc[model] if model in of_paper.index else {}
                found = measured.get((dataset, model), {})
                absent += [] if found else [f"{names[dataset]}/{names[model]}"]
                of_published |= {(len(rows), title): mark for title, mark in marked.get(model, {}).items()}
                rows.append({"Dataset": names[dataset], "Model": names[model]} | _compare(values, found, synthetic))
                groups.append(dataset)
        if rows:
            caption = f"Table {number}. Segmentation results ({average})."
            tables.append(_table(f"table{number}", caption, rows, groups, [*NOTES, *_absent(absent)], of_published))
    return tables


def table_6(
    measured: Measured, average: str, names: Mapping[str, str], printed: pd.DataFrame, synthetic: bool
) -> Table:
    """Return the ablation on GAPs: the authors' four configurations and the fair ones."""
    rows: list[dict[str, Any]] = []
    absent: list[str] = []
    marked = _published_marks(printed.set_index("model"))
    of_published: dict[tuple[int, str], str] = {}
    fair: list[dict[Any, Any]] = [{"model": m, "printed": names.get(m, m)} for m in FAIR_ABLATION]
    for row in printed.to_dict("records") + fair:
        found = measured.get((ABLATION_DATASET, row["model"]), {})
        absent += [] if found else [row["printed"]]
        of_published |= {(len(rows), title): mark for title, mark in marked.get(row["model"], {}).items()}
        rows.append({"Configuration": row["printed"]} | _compare(row, found, synthetic))
    notes = [
        *NOTES,
        "In the authors' code the decoder has no skip connection where RFEM is off, so that CAGM's output is not used: "
        '"CAGM Only" computes the same function as "Baseline".',
        "The configurations with plain skips are not in the paper; there CAGM's output reaches the decoder.",
        *_absent(absent),
    ]
    caption = f"Table 6. Ablation on GAPs ({average})."
    return _table("table6", caption, rows, [ABLATION_DATASET] * len(rows), notes, of_published)


def marks(values: Sequence[float], groups: Sequence[str], digits: int) -> dict[int, str]:
    """Return the rows that hold the highest and second highest value of their group, compared as printed.

    Equal values share a mark; a group with fewer than two values has none.

    >>> marks([0.5, 0.7, 0.7, 0.6, float("nan")], ["a"] * 5, 4)
    {1: 'best', 2: 'best', 3: 'second'}
    """
    rounded = np.round(np.asarray(values, float), digits)
    found = {}
    for group in dict.fromkeys(groups):
        rows = [i for i, g in enumerate(groups) if g == group and np.isfinite(rounded[i])]
        ordered = sorted({rounded[i] for i in rows}, reverse=True)
        for i in rows if len(rows) > 1 else ():
            if (place := ordered.index(rounded[i])) < 2:
                found[i] = ("best", "second")[place]
    return found


def _published_marks(paper: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return model -> heading -> mark of the published values of one dataset; the paper's rows, models as index."""
    found: dict[str, dict[str, str]] = {}
    for column, title in TITLES.items():
        for row, mark in marks(paper[column].tolist(), [""] * len(paper), 4).items():
            found.setdefault(str(paper.index[row]), {})[f"{title}, {KINDS[0]}"] = mark
    return found


def _table(
    name: str, caption: str, rows: list[dict[str, Any]], groups: list[str], notes: list[str],
    of_published: Mapping[tuple[int, str], str],
) -> Table:  # fmt: skip
    """Return a table with its marks: those of the published columns are given, those of the measured ones derived."""
    frame = pd.DataFrame(rows)
    digits = {f"{t}, {kind}": 4 for t in TITLES.values() for kind in KINDS[:3]}
    found = dict(of_published)
    for title in (f"{t}, {KINDS[1]}" for t in TITLES.values()):
        found |= {(row, title): mark for row, mark in marks(frame[title].tolist(), groups, 4).items()}
    return Table(name, caption, frame, digits, notes, found)


def _compare(paper: Any, measured: Mapping[str, tuple[float, float, float]], synthetic: bool) -> dict[str, Any]:
    """Return published, measured, difference and interval of the four metrics."""
    row: dict[str, Any] = {}
    for column, metric in COLUMNS.items():
        theirs = float(paper[column]) if column in paper else float("nan")
        ours, low, high = measured.get(metric, (float("nan"),) * 3)
        interval = f"{low:.3f}–{high:.3f}" if np.isfinite([low, high]).all() else ""
        cells = theirs, ours, float("nan") if synthetic else ours - theirs, interval
        row |= {f"{TITLES[column]}, {kind}": cell for kind, cell in zip(KINDS, cells, strict=True)}
    return row


def _absent(names: Iterable[str]) -> list[str]:
    """Return the note that names the cells without a measurement."""
    listed = list(names)
    return [f"Not run ({len(listed)}): {', '.join(listed)}."] if listed else []
