"""Tables 1, 2 and 7 of the paper, with published and measured values side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

COLUMNS = {"miou": "crack_iou", "dice": "dice", "recall": "recall", "precision": "precision"}
"""Column of the published tables -> metric. The paper's mIoU is the IoU of the crack class: in every row, Dice equals
2 IoU / (1 + IoU) to within 1e-3."""

GFLOPS_TOLERANCE = 0.02
"""What tools count of activations, normalisation and resizing differs by less than this, relative to the whole: the
paper's tool is not known, fvcore counts normalisation and resizing, torch's counter none of them."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Table:
    """A table ready to be rendered.

    Attributes:
        name: file name without suffix.
        caption: one sentence.
        frame: rows, with the headings as column names; numbers unrounded, NaN for missing values.
        digits: heading -> number of decimals; negative: of significant digits.
        notes: sentences below the table.
        marks: (row number, heading) -> "best" or "second".
        blank: text for NaN.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    digits: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    marks: Mapping[tuple[int, str], str] = field(default_factory=dict)
    blank: str = ""


def table_1(
    cards: Mapping[str, dict[str, Any]],
    datasets: Mapping[str, dict[str, Any]],
    printed: pd.DataFrame,
    of_paper: bool = True,
) -> Table:
    """Return Table 1, the datasets: as published, and as prepared here.

    Args:
        cards: dataset id -> card.json, for prepared datasets.
        datasets: dataset id -> published facts, for all declared datasets.
        printed: the paper's Table 1.
        of_paper: whether the paper has any of the datasets.
    """
    crack_type = printed.set_index("dataset")["crack_type"]
    rows = [
        _dataset_row(facts, crack_type.get(dataset, facts["crack_type"]), cards.get(dataset))
        for dataset, facts in datasets.items()
    ]
    digits = {"Crack share %, published": 3, "Crack share %, here": 3}
    notes = [
        "Published: facts of the published collection. Here: measured on the prepared images; empty if not prepared.",
        "Crack share: percentage of pixels labelled as crack.",
    ]
    caption = "Table 1. Datasets and their crack types." if of_paper else "Datasets and their crack types."
    return Table("table1", caption, pd.DataFrame(rows), digits, notes)


def _dataset_row(facts: Mapping[str, Any], crack_type: str, card: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a row of Table 1; ``card`` is None for a dataset that is not prepared."""
    counts = card["counts"] if card else {}
    splits = " / ".join(str(counts.get(s, 0)) for s in SPLITS)
    return {
        "Dataset": facts["name"],
        "Crack type": crack_type,
        "Pairs, published": facts["images"],
        "Pairs, here": sum(counts.values()) if card else None,
        "Train / validation / test": splits if card else "not prepared",
        "Photographs, published": facts["photographs"],
        "Photographs, here": card["measured"]["photographs"] if card else None,
        "Native size, here": card["measured"]["native_size"] if card else "",
        "Crack share %, published": facts["crack_share_pct"],
        "Crack share %, here": 100 * card["measured"]["crack_share"] if card else float("nan"),
        "Source": card["origin"]["source"] if card else "",
        "Licence": facts["licence"],
    }


def table_2(settings: Mapping[str, Any], printed: pd.DataFrame, of_paper: bool = True) -> Table:
    """Return Table 2, the training settings: as published, and as used in the runs.

    Args:
        settings: dotted key -> value, from the protocol of the runs; empty without runs.
        printed: the paper's settings.
        of_paper: whether the paper has any of the datasets; otherwise its settings are left out.
    """
    rows = []
    for row in printed.itertuples():
        used = settings.get(str(row.setting), "AdamW" if row.setting == "train.optimizer" and settings else None)
        same = used is not None and _same(used, str(row.value))
        note = "no runs" if not settings else "same" if same else "differs"
        shown = "none" if settings and used is None else used
        rows.append((row.printed, row.where, row.value, "" if shown is None else f"{shown}", note))
    frame = pd.DataFrame(rows, columns=["Setting", "Where", "Published", "Here", "Agreement"])
    if not of_paper:
        return Table("table2", "Training settings.", frame[["Setting", "Here"]])
    return Table("table2", "Table 2. Training settings.", frame)


COUNTED = "One multiply-add counts as two floating-point operations: GFLOPs = 2 x GMACs."
COUNTERS = {
    "fvcore": "fvcore reports GMACs.",
    "torch.utils.flop_counter": "torch.utils.flop_counter reports GMACs: convolutions and matrix products that run.",
}


DRIFTED = "; drifted: the machine was not steady"


def comparable(cost: Mapping[str, Any]) -> bool:
    """Return whether a cost was measured under the paper's conditions: 448 px, ResNet50."""
    return bool(cost["image_size"] == 448 and cost["encoder"] == "resnet50")


def table_7(
    costs: Mapping[str, dict[str, Any]], names: Mapping[str, str], printed: pd.DataFrame, of_paper: bool = True
) -> Table:
    """Return Table 7, the complexity of the models: parameters, multiply-adds, latency and memory.

    Args:
        costs: model id -> cost.
        names: id -> display name, for all declared models.
        printed: the paper's Table 7.
        of_paper: whether the paper has any of the datasets; otherwise its numbers are left out.
    """
    published = printed.set_index("model").to_dict("index")
    rows = [_cost_row(name, published.get(model, {}), costs.get(model, {})) for model, name in names.items()]
    if not any(pd.notna(row["Latency, ResNet-18 = 1"]) for row in rows):  # measured before there was an anchor
        rows = [{key: row[key] for key in row if key != "Latency, ResNet-18 = 1"} for row in rows]
    counted = _counted(costs, names)
    digits = {"Latency ms p50, here": 1, "p95, here": 1, "Latency, ResNet-18 = 1": 2, "Peak memory MiB": 0} | {
        heading: 2
        for heading in rows[0]
        if heading.startswith(("Params", "GFLOPs", "GMACs", "Latency ms, published", "Images/s"))
    }
    if not of_paper:
        frame = pd.DataFrame(rows)
        frame = frame[
            [c for c in map(str, frame) if "published" not in c and c not in ("GFLOPs difference %", "Reproduces")]
        ]
        frame = frame.rename(columns=lambda heading: heading.removesuffix(", here"))
        digits = {heading.removesuffix(", here"): places for heading, places in digits.items()}
        notes = [counted, "Latency: one image, float32, on the device in the last column."]
        return Table("table7", "Model complexity.", frame, digits, notes)
    notes = [
        counted,
        "Reproduces: parameters must agree to the printed precision, GFLOPs to within "
        f"{100 * GFLOPS_TOLERANCE:.1f} %. Only costs measured at 448 px with ResNet50 are comparable.",
        "Latency: one image, float32, on the device in the last column. Published latencies: NVIDIA A40.",
        *_look_alikes(rows),
    ]
    return Table("table7", "Table 7. Model complexity, published and measured.", pd.DataFrame(rows), digits, notes)


def _cost_row(name: str, paper: Mapping[Any, float], cost: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of Table 7; either side may be empty."""
    nan = float("nan")
    gflops = cost.get("gflops", nan)
    both = bool(paper) and bool(cost) and comparable(cost)
    return {
        "Model": name,
        "Params M, published": paper.get("params_m", nan),
        "Params M, here": cost.get("parameters", nan) / 1e6,
        "GFLOPs, published": paper.get("gflops", nan),
        "GFLOPs, here": gflops,
        "GMACs, here": cost.get("gmacs", nan),
        "GFLOPs difference %": 100 * (gflops / paper["gflops"] - 1) if both else nan,
        "Reproduces": _reproduces(paper, cost),
        "Latency ms, published (A40)": paper.get("inference_ms", nan),
        "Latency ms p50, here": cost.get("latency_ms_p50", nan),
        "p95, here": cost.get("latency_ms_p95", nan),
        "Latency, ResNet-18 = 1": cost.get("relative_latency", nan),
        "Images/s, here": cost.get("images_per_s", nan),
        "Peak memory MiB": cost.get("peak_memory_mb", nan),
        "Input": f"{cost['encoder']}, {cost['image_size']} px" if cost else "",
        "Device": f"{cost['device']}, {cost['threads']} threads" + DRIFTED * cost.get("drifted", False) if cost else "",
    }


def _counted(costs: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Return what counted the multiply-adds, and of which models if there are several counters."""
    models: dict[str, list[str]] = {}
    for model in costs:
        models.setdefault(costs[model].get("counter", "fvcore"), []).append(names.get(model, model))
    if len(models) < 2:
        return f"{COUNTED} {COUNTERS[next(iter(models), 'fvcore')]}"
    return " ".join([COUNTED, *(f"{COUNTERS[key][:-1]} ({', '.join(models[key])})." for key in sorted(models))])


def _reproduces(paper: Mapping[Any, float], cost: Mapping[str, Any]) -> str:
    """Return which published numbers of a model are reproduced."""
    if not cost or not paper:
        return "not published" if cost else "not measured"
    if not comparable(cost):
        return "not comparable"
    wrong = [] if round(cost["parameters"] / 1e6, 2) == paper["params_m"] else ["parameters differ"]
    wrong += [] if abs(cost["gflops"] / paper["gflops"] - 1) <= GFLOPS_TOLERANCE else ["GFLOPs differ"]
    return ", ".join(wrong) or "both"


def _look_alikes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a note per published number that is not reproduced, with other models printed with the same number."""
    notes = []
    for what, heading, tolerance in (("parameters", "Params M", 0.0), ("GFLOPs", "GFLOPs", GFLOPS_TOLERANCE)):
        printed = f"{heading}, published"
        for row in rows:
            if f"{what} differ" not in row["Reproduces"]:
                continue
            others = [o for o in rows if o is not row and abs(o[printed] / row[printed] - 1) <= tolerance]
            close = "".join(f"; {o['Model']} has {o[printed]:.2f} in print" for o in others)
            notes.append(
                f"{row['Model']}, {what}: {row[printed]:.2f} in print, {row[f'{heading}, here']:.2f} measured{close}."
            )
    return notes


def _same(used: Any, printed: str) -> bool:
    """Return whether a setting equals the printed one; numbers are compared as numbers."""
    try:
        return float(used) == float(printed)
    except (TypeError, ValueError):
        return str(used) == printed
