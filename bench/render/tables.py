"""Tables 1, 2 and 7 of the paper, published beside measured: frames in, frames out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

COLUMNS = {"miou": "crack_iou", "dice": "dice", "recall": "recall", "precision": "precision"}
"""Column of the published tables -> metric. What the paper prints as mIoU is the IoU of the crack class: its Dice is
2 IoU / (1 + IoU) to 1e-3 in every row."""

GFLOPS_TOLERANCE = 0.008
"""Counting conventions of activations and norms make up for this much."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Table:
    """A table ready to be printed.

    Attributes:
        name: file name without suffix.
        caption: one sentence.
        frame: column names are the headings; numbers unrounded, nan where there is none.
        digits: heading -> digits after the point.
        notes: sentences below the table.
        marks: (row number, heading) -> "best" or "second".
        blank: what stands for nan.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    digits: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    marks: Mapping[tuple[int, str], str] = field(default_factory=dict)
    blank: str = ""


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
                "Train / validation / test": " / ".join(str(counts.get(s, 0)) for s in SPLITS)
                if card
                else "not prepared",
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


def comparable(cost: Mapping[str, Any]) -> bool:
    """Return whether a cost was measured as the paper's: at 448 px with ResNet50."""
    return bool(cost["image_size"] == 448 and cost["encoder"] == "resnet50")


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
        alike = bool(cost) and comparable(cost)
        rows.append(
            {
                "Model": name,
                "Params M, published": paper.get("params_m", nan),
                "Params M, here": params,
                "GFLOPs, published": paper.get("gflops", nan),
                "GFLOPs, here": gflops,
                "GMACs, here": cost.get("gmacs", nan),
                "GFLOPs difference %": 100 * (gflops / paper["gflops"] - 1) if paper and alike else nan,
                "Reproduces": _reproduces(paper, cost),
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
        f"Parameters reproduce if they agree to the printed digit, GFLOPs if within {100 * GFLOPS_TOLERANCE:.1f} %; "
        "comparable is what was measured at 448 px with ResNet50.",
        "Latency is of one image, float32, on the device named; published latencies are of an NVIDIA A40.",
        *_look_alikes(rows),
    ]
    return Table("table7", "Table 7. Model complexity.", pd.DataFrame(rows), digits, notes)


def _reproduces(paper: Mapping[Any, float], cost: Mapping[str, Any]) -> str:
    """Return what of a published row reproduces."""
    if not cost or not paper:
        return "not published" if cost else "not measured"
    if not comparable(cost):
        return "not comparable"
    wrong = [] if round(cost["parameters"] / 1e6, 2) == paper["params_m"] else ["parameters differ"]
    wrong += [] if abs(cost["gflops"] / paper["gflops"] - 1) <= GFLOPS_TOLERANCE else ["GFLOPs differ"]
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
