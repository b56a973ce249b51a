"""Tables 1 to 7 of the paper, published beside measured: frames in, frames out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

COLUMNS = {"miou": "crack_iou", "dice": "dice", "recall": "recall", "precision": "precision"}
"""Column of the published tables -> metric. What the paper prints as mIoU is the IoU of the crack class: its Dice is
2 IoU / (1 + IoU) to 1e-3 in every row."""

TITLES = {"miou": "Crack IoU (printed: mIoU)", "dice": "Dice", "recall": "Recall", "precision": "Precision"}

GFLOPS_TOLERANCE = 0.008
"""Counting conventions of activations and norms make up for this much."""

SPLITS = ("train", "validation", "test")

ABLATION_DATASET = "gaps"
"""Dataset of Table 6: its last row is the Context-CrackNet row of GAPs in Table 4."""

FAIR_ABLATION = ("context_cracknet_skip", "context_cracknet_cagm_skip")
"""The two configurations that the paper lacks: plain skips where RFEM is off, so that CAGM's output counts."""


@dataclass(frozen=True)
class Table:
    """A table ready to be printed.

    Attributes:
        name: file name without suffix.
        caption: one sentence.
        frame: column names are the headings; numbers unrounded, nan where there is none.
        digits: heading -> digits after the point.
        notes: sentences below the table.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    digits: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


def table_1(
    cards: Mapping[str, dict[str, Any]], datasets: Mapping[str, dict[str, Any]], printed: pd.DataFrame
) -> Table:
    """Return the datasets: what the paper says, what the collection holds, what was measured here.

    Args:
        cards: card.json by id, of the datasets that are prepared.
        datasets: facts as published by id, of all declared datasets.
        printed: the paper's Table 1.
    """
    crack_type = printed.set_index("dataset")["crack_type"]
    rows = []
    for dataset, facts in datasets.items():
        card = cards.get(dataset)
        counts = card["counts"] if card else {}
        rows.append(
            {
                "Dataset": facts["name"],
                "Crack type": crack_type.get(dataset, facts["crack_type"]),
                "Pairs, published": facts["images"],
                "Pairs, here": sum(counts.values()) if card else None,
                "Train / validation / test": " / ".join(str(counts[s]) for s in SPLITS) if card else "not prepared",
                "Photographs, published": facts["photographs"],
                "Photographs, here": card["measured"]["photographs"] if card else None,
                "Native size, here": card["measured"]["native_size"] if card else "",
                "Crack share %, published": facts["crack_share_pct"],
                "Crack share %, here": 100 * card["measured"]["crack_share"] if card else float("nan"),
                "Source": card["origin"]["source"] if card else "",
                "Licence": facts["licence"],
            }
        )
    digits = {"Crack share %, published": 3, "Crack share %, here": 3}
    return Table("table1", "Table 1. Datasets and their crack types.", pd.DataFrame(rows), digits)


def table_2(settings: Mapping[str, Any], printed: pd.DataFrame) -> Table:
    """Return the training settings, published beside those of the runs.

    Args:
        settings: dotted key -> value, of the runs' protocol; empty if there are no runs.
        printed: the paper's settings.
    """
    rows = []
    for row in printed.itertuples():
        used = settings.get(str(row.setting), "AdamW" if row.setting == "train.optimizer" and settings else None)
        same = used is not None and _same(used, str(row.value))
        note = "no runs" if not settings else "same" if same else "differs"
        shown = "none" if settings and used is None else used
        rows.append((row.printed, row.where, row.value, "" if shown is None else f"{shown}", note))
    frame = pd.DataFrame(rows, columns=["Setting", "Where", "Published", "Here", "Agreement"])
    return Table("table2", "Table 2. Training settings.", frame)


def segmentation_tables(
    summary: pd.DataFrame, average: str, names: Mapping[str, str], models: Sequence[str], printed: pd.DataFrame
) -> list[Table]:
    """Return Tables 3, 4 and 5: crack IoU, Dice, recall and precision, published, measured and their difference.

    Args:
        summary: dataset, model, seed, metric, average, value.
        average: which average the tables show.
        names: id -> display name.
        models: ids of the rows beyond the published ones, in order.
        printed: the paper's Tables 3 to 5.
    """
    measured = _measured(summary, average)
    tables = []
    for number, part in printed.groupby("table"):
        rows = []
        for dataset in part["dataset"].unique():
            if dataset not in names:
                continue
            of_paper = part[part["dataset"] == dataset].set_index("model")
            for model in [m for m in of_paper.index if m in models] + [m for m in models if m not in of_paper.index]:
                values = of_paper.loc[model] if model in of_paper.index else {}
                head = {"Dataset": names[dataset], "Model": names[model]}
                rows.append(head | _compare(values, measured.get((dataset, model), {})))
        if rows:
            caption = f"Table {number}. Segmentation results ({average.replace('_', ' ')})."
            tables.append(Table(f"table{number}", caption, pd.DataFrame(rows), _digits(), _DIFFERENCE_NOTES))
    return tables


def table_6(summary: pd.DataFrame, average: str, names: Mapping[str, str], printed: pd.DataFrame) -> Table:
    """Return the ablation on GAPs: the authors' four configurations and the fair ones."""
    measured = _measured(summary, average)
    rows = []
    for row in printed.to_dict("records"):
        rows.append(
            {"Configuration": row["printed"]} | _compare(row, measured.get((ABLATION_DATASET, row["model"]), {}))
        )
    for model in FAIR_ABLATION:
        found = measured.get((ABLATION_DATASET, model), {})
        rows.append({"Configuration": names.get(model, model)} | _compare({}, found))
    notes = [
        *_DIFFERENCE_NOTES,
        "In the authors' code the decoder has no skip connection where RFEM is off, so that CAGM's output is not used: "
        '"CAGM Only" computes the same function as "Baseline".',
        "The configurations with plain skips are not in the paper; there CAGM's output reaches the decoder.",
    ]
    return Table(
        "table6", f"Table 6. Ablation on GAPs ({average.replace('_', ' ')}).", pd.DataFrame(rows), _digits(), notes
    )


def table_7(costs: Mapping[str, dict[str, Any]], names: Mapping[str, str], printed: pd.DataFrame) -> Table:
    """Return the complexity of the models: parameters, multiply-adds, latency, memory.

    Args:
        costs: cost by model id.
        names: id -> display name, of all declared models.
        printed: the paper's Table 7.
    """
    of_paper = printed.set_index("model").to_dict("index")
    rows = []
    for model, name in names.items():
        paper, cost = of_paper.get(model, {}), costs.get(model, {})
        nan = float("nan")
        params, gflops = cost.get("parameters", nan) / 1e6, cost.get("gflops", nan)
        rows.append(
            {
                "Model": name,
                "Params M, published": paper.get("params_m", nan),
                "Params M, here": params,
                "GFLOPs, published": paper.get("gflops", nan),
                "GFLOPs, here": gflops,
                "GMACs, here": cost.get("gmacs", nan),
                "GFLOPs difference %": 100 * (gflops / paper["gflops"] - 1) if paper else nan,
                "Reproduces": _reproduces(paper, params, gflops) if cost else "not measured",
                "Latency ms, published (A40)": paper.get("inference_ms", nan),
                "Latency ms p50, here": cost.get("latency_ms_p50", nan),
                "p95, here": cost.get("latency_ms_p95", nan),
                "Images/s, here": cost.get("images_per_s", nan),
                "Peak memory MiB": cost.get("peak_memory_mb", nan),
                "Input": f"{cost['encoder']}, {cost['image_size']} px" if cost else "",
                "Device": f"{cost['device']}, {cost['threads']} threads" if cost else "",
            }
        )
    digits = {"Latency ms p50, here": 1, "p95, here": 1, "Peak memory MiB": 0} | {
        heading: 2
        for heading in rows[0]
        if heading.startswith(("Params", "GFLOPs", "GMACs", "Latency ms, published", "Images/s"))
    }
    notes = [
        "One multiply-add counts as two floating-point operations: GFLOPs = 2 GMACs (fvcore counts GMACs).",
        f"Parameters reproduce if they agree to the printed digit, GFLOPs if within {100 * GFLOPS_TOLERANCE:.1f} %.",
        "Latency is of one image, float32, on the device named; published latencies are of an NVIDIA A40.",
        *_look_alikes(rows),
    ]
    return Table("table7", "Table 7. Model complexity.", pd.DataFrame(rows), digits, notes)


_DIFFERENCE_NOTES = ("Difference: measured minus published. An empty field: not run, or not published.",)


def _measured(summary: pd.DataFrame, average: str) -> dict[tuple[str, str], dict[str, float]]:
    """Return (dataset, model) -> metric -> value, the mean over seeds."""
    chosen = summary[summary["average"] == average]
    means = chosen.groupby(["dataset", "model", "metric"])["value"].mean()
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in means.reset_index().to_dict("records"):
        found.setdefault((row["dataset"], row["model"]), {})[row["metric"]] = row["value"]
    return found


def _compare(paper: Any, measured: Mapping[str, float]) -> dict[str, Any]:
    """Return published, measured and difference of the four metrics."""
    row: dict[str, Any] = {}
    for column, metric in COLUMNS.items():
        theirs = float(paper[column]) if len(paper) else float("nan")
        ours = measured.get(metric, float("nan"))
        title = TITLES[column]
        row |= {f"{title}, published": theirs, f"{title}, measured": ours, f"{title}, difference": ours - theirs}
    return row


def _digits() -> dict[str, int]:
    return {f"{t}, {kind}": 4 for t in TITLES.values() for kind in ("published", "measured", "difference")}


def _reproduces(paper: Mapping[Any, float], params: float, gflops: float) -> str:
    """Return what of a published row reproduces."""
    if not paper:
        return "not published"
    wrong = [] if round(params, 2) == paper["params_m"] else ["parameters differ"]
    wrong += [] if abs(gflops / paper["gflops"] - 1) <= GFLOPS_TOLERANCE else ["GFLOPs differ"]
    return ", ".join(wrong) or "both"


def _look_alikes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return for each published figure that does not reproduce which other model's published figure it is close to."""
    notes = []
    for what, heading, tolerance in (("parameters", "Params M", 0.0), ("GFLOPs", "GFLOPs", GFLOPS_TOLERANCE)):
        printed = f"{heading}, published"
        for row in rows:
            if f"{what} differ" not in row["Reproduces"]:
                continue
            others = [o for o in rows if o is not row and abs(o[printed] / row[printed] - 1) <= tolerance]
            close = "".join(f"; {o['Model']} is printed with {o[printed]:.2f}" for o in others)
            notes.append(
                f"{row['Model']}, {what}: printed {row[printed]:.2f}, here {row[f'{heading}, here']:.2f}{close}."
            )
    return notes


def _same(used: Any, printed: str) -> bool:
    """Return whether a setting equals what is printed, as numbers where both are."""
    try:
        return float(used) == float(printed)
    except (TypeError, ValueError):
        return str(used) == printed
