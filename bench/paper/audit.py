"""Audit of the paper: properties of its own tables, and its Table 7 compared with measurements."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from bench.paper import published
from bench.plugins import load
from bench.render.tables import Table, comparable
from bench.stats.paired import holm, smallest_p, wilcoxon
from bench.stats.ranks import critical_difference, friedman, ranks

COMMAND = "bench audit-paper"

HALF_STEP = 0.5e-4
"""Half a unit of the last printed digit."""


def identities() -> pd.DataFrame:
    """Return the 100 published rows with the Dice implied by their other columns.

    Columns: those of the tables, dice_of_iou = 2 IoU / (1 + IoU), f1_of_pr = 2 P R / (P + R), the printed Dice minus
    each (iou_gap, f1_gap), and whether rounding to four digits explains each gap (iou_holds, f1_holds).
    """
    rows = _named("tables_3_4_5")
    rows["dice_of_iou"] = 2 * rows["miou"] / (1 + rows["miou"])
    rows["f1_of_pr"] = 2 * rows["precision"] * rows["recall"] / (rows["precision"] + rows["recall"])
    rows["iou_gap"] = rows["dice"] - rows["dice_of_iou"]
    rows["f1_gap"] = rows["dice"] - rows["f1_of_pr"]
    slope = 2 / (1 + rows["miou"]) ** 2
    total = (rows["precision"] + rows["recall"]) ** 2
    slopes = 2 * (rows["recall"] ** 2 + rows["precision"] ** 2) / total
    tiny = 1e-9
    rows["iou_holds"] = rows["iou_gap"].abs() <= HALF_STEP * (1 + slope) + tiny
    rows["f1_holds"] = rows["f1_gap"].abs() <= HALF_STEP * (1 + slopes) + tiny
    return rows


def winners(column: str = "miou") -> pd.DataFrame:
    """Return the best and second-best model of each dataset in a column: dataset, first, value, second, margin."""
    rows = []
    for dataset, part in _named("tables_3_4_5").groupby("dataset", sort=False):
        ordered = part.sort_values(column, ascending=False, kind="stable")
        (first, value), (second, other) = ordered[["name", column]].head(2).to_numpy().tolist()
        rows.append({"dataset": dataset, "first": first, "value": value, "second": second, "margin": value - other})
    return pd.DataFrame(rows)


def scores(column: str = "miou") -> pd.DataFrame:
    """Return a column of Tables 3 to 5 as a frame of datasets x models, by name."""
    return _named("tables_3_4_5").pivot(index="dataset", columns="name", values=column)


def complexity(costs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return Table 7 with the measured parameters and GFLOPs (``*_here``) and the ratios measured / published.

    Args:
        costs: model id -> cost; models not measured under the paper's conditions get NaN.
    """
    table = _named("table_7")
    usable = {m: c for m, c in costs.items() if comparable(c)}
    for column, key, unit in (("params_m", "parameters", 1e6), ("gflops", "gflops", 1.0)):
        table[f"{column}_here"] = [usable.get(m, {}).get(key, np.nan) / unit for m in table["model"]]
        table[f"{column}_ratio"] = table[f"{column}_here"] / table[column]
    return table


def tables(costs: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    """Return the tables of the audit, each with the command that reproduces it."""
    return [*_printed_tables(), _complexity_table(costs)]


@cache
def _printed_tables() -> tuple[Table, ...]:
    """Return the tables of printed numbers alone, computed once."""
    return _identity_table(), _winner_table(), _rank_table()


def _named(table: str) -> pd.DataFrame:
    """Return a published table with this suite's names of the models in ``name``."""
    rows = published(table)
    return rows.assign(name=[load("models", model).NAME for model in rows["model"]])


def _dataset_names() -> dict[str, str]:
    """Return dataset id -> name as printed."""
    return dict(published("table_1")[["dataset", "printed"]].itertuples(index=False, name=None))


def _identity_table() -> Table:
    rows = identities()
    rows["dataset"] = rows["dataset"].map(_dataset_names())
    grouped = rows.groupby("dataset", sort=False)
    frame = pd.DataFrame(
        {
            "Dataset": list(grouped.groups),
            "Rows": grouped.size().to_numpy(),
            "Dice = 2 IoU/(1+IoU) to the digit": grouped["iou_holds"].sum().to_numpy(),
            "Largest gap": grouped["iou_gap"].apply(lambda g: g.abs().max()).to_numpy(),
            "Dice = F1(P, R) to the digit": grouped["f1_holds"].sum().to_numpy(),
            "Largest gap of F1": grouped["f1_gap"].apply(lambda g: g.abs().max()).to_numpy(),
        }
    )
    largest, within = rows["iou_gap"].abs().max(), int((rows["iou_gap"].abs() <= 2e-4).sum())
    beyond = sorted(rows.loc[rows["iou_gap"].abs() > 2e-4, "dataset"].unique())
    gaps = rows["iou_gap"].abs()
    steps = ", ".join(
        f"{int((gaps <= t).sum())} rows to within {t:.1e}" for t in (1.5e-4, 1.7e-4, 1.9e-4, 2e-4, 2.5e-4)
    )
    notes = [
        f"Dice = 2 IoU / (1 + IoU) to within 2e-4 in {within} of {len(rows)} rows and to within {largest:.1e} in all: "
        'the column printed as "mIoU" is the IoU of the crack class, not a mean over classes.',
        f"Gaps larger than 2e-4 occur in {', '.join(beyond)}. By tolerance: {steps}.",
        f"To the digit: rounding to four digits explains the gap. True of {int(rows['iou_holds'].sum())} of "
        f"{len(rows)} rows for IoU and {int(rows['f1_holds'].sum())} for F1. Means over batches break both identities.",
        f"Reproduce with `{COMMAND}`.",
    ]
    caption = "Identities between the columns of Tables 3 to 5, as published."
    return Table("audit_identities", caption, frame, {"Largest gap": 5, "Largest gap of F1": 5}, notes)


def _winner_table() -> Table:
    rows = winners().replace({"dataset": _dataset_names()})
    frame = rows.set_axis(["Dataset", "First", "Crack IoU", "Second", "Margin"], axis=1)
    others = rows[rows["first"] != "Context-CrackNet"]
    count = rows["first"].value_counts()
    recall = int((winners("recall")["first"] == "Context-CrackNet").sum())
    precision = int((winners("precision")["first"] == "Context-CrackNet").sum())
    notes = [
        "; ".join(f"{model}: first on {n} of {len(rows)}" for model, n in count.items()) + ".",
        f"Context-CrackNet is not first on {', '.join(others['dataset'])}. It has the highest recall on {recall} and "
        f"the highest precision on {precision} of {len(rows)} datasets.",
        f"Reproduce with `{COMMAND}`.",
    ]
    return Table(
        "audit_winners",
        "Best and second-best model per dataset, as published (crack IoU).",
        frame,
        {"Crack IoU": 4, "Margin": 4},
        notes,
    )


def _rank_table() -> Table:
    table = scores()
    values = table.to_numpy(float)
    mean, test = ranks(values).mean(0), friedman(values)
    datasets, models = values.shape
    difference = critical_difference(models, datasets)
    best = int(mean.argmin())
    p = np.array([wilcoxon(values[:, best] - values[:, i]) for i in range(models) if i != best])
    adjusted = dict(zip([i for i in range(models) if i != best], holm(p), strict=True))
    frame = pd.DataFrame(
        [
            {
                "Model": table.columns[i], "Mean rank": mean[i], "Mean crack IoU": values[:, i].mean(),
                "Behind first, ranks": mean[i] - mean[best],
                "Differs by Nemenyi": "" if i == best else "yes" if mean[i] - mean[best] > difference else "no",
                "Wilcoxon-Holm p": adjusted.get(i, np.nan),
            }
            for i in np.argsort(mean, kind="stable")
        ]
    )  # fmt: skip
    pairs = models * (models - 1) // 2
    notes = [
        f"Friedman over {datasets} datasets and {models} models: chi2 {test.chi2:.2f}, p {test.chi2_p:.1e}; "
        f"Iman-Davenport F {test.f:.2f}, p {test.f_p:.1e}. Nemenyi's critical difference: {difference:.2f} ranks.",
        f"Wilcoxon-Holm p: the first model against each other model, corrected for {models - 1} comparisons. Smallest "
        f"possible p: {smallest_p(datasets, models - 1):.2g} ({smallest_p(datasets, pairs):.2g} for {pairs} pairs).",
        "The tests assume ten independent datasets. They are not: CFD and Forest contain the same source images, each "
        "model was run once, and each checkpoint was selected on the split it is reported on.",
        f"Reproduce with `{COMMAND}`.",
    ]
    digits = {"Mean rank": 2, "Mean crack IoU": 4, "Behind first, ranks": 2, "Wilcoxon-Holm p": 4}
    return Table("audit_ranks", "Mean ranks over the ten datasets, as published (crack IoU).", frame, digits, notes)


def _complexity_table(costs: Mapping[str, Mapping[str, Any]]) -> Table:
    table = complexity(costs)
    frame = table[
        ["name", "params_m", "params_m_here", "params_m_ratio", "gflops", "gflops_here", "gflops_ratio"]
    ].set_axis(
        ["Model", "Params M", "Params M here", "Ratio of params", "GFLOPs", "GFLOPs here", "Ratio of GFLOPs"], axis=1
    )
    twice = table[table.duplicated("params_m", keep=False)]
    notes = [
        "GFLOPs here: two per multiply-add, at 448 px with ResNet50. Empty: not measured under these conditions.",
        f"{' and '.join(twice['name'])} are printed with the same number of parameters "
        f"({twice['params_m'].iloc[0]} M).",
        f"Reproduce with `{COMMAND}`, and the measurements with `bench measure` (`dvc repro measure`).",
    ]
    digits = {"Params M": 2, "Params M here": 2, "Ratio of params": 3}
    digits |= {"GFLOPs": 2, "GFLOPs here": 2, "Ratio of GFLOPs": 3}
    return Table("audit_complexity", "Table 7, published and measured.", frame, digits, notes)
