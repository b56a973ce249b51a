"""Model card of one run, in Markdown: model, data, results, provenance and limits."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bench.render.markdown import code, escape, prose


def model_card(
    cell: Mapping[str, Any], names: Mapping[str, str], scores: pd.DataFrame, data: Mapping[str, Any], warning: str,
    classes: pd.DataFrame | None = None, notes: Sequence[str] = (),
) -> str:  # fmt: skip
    """Return the model card.

    Args:
        cell: run.json of the run.
        names: id -> display name.
        scores: metric (display name), then one column per average; NaN where undefined.
        data: card.json of its prepared dataset.
        warning: text at the top; may be empty.
        classes: class, IoU and Dice of each class and their mean, if they were counted.
        notes: which classes count as crack; empty for a dataset of one class.

    **Source:** Mitchell 2019, doi 10.1145/3287560.3287596, for the sections.
    """
    dataset, model = escape(names[cell["dataset"]]), escape(names[cell["model"]])
    lines = [
        f"# {model} on {dataset}, seed {cell['seed']}", "", *([f"**{warning}**", ""] if warning else []),
        "## Model", "",
        f"- architecture {model} ({code(cell['model'])}), trained {cell.get('epochs', '?')} epochs, "
        f"checkpoint of epoch {cell.get('best_epoch', '?')}; stopped: {escape(str(cell.get('stopped', 'unknown')))}",
        f"- {_number(cell, 'seconds')} s of training, {_number(cell, 'images_per_s')} images/s, "
        f"peak memory {_number(cell, 'peak_memory_mb')} MiB",
        "", "## Data", "", *_data(cell, dataset, data),
        "", "## Results on the test split", "", *_scores(scores), *_classes(classes, notes),
        "", "## Provenance", "", *_provenance(cell),
        "", "## Limits", "",
        "- Trained and tested on a single dataset: these scores do not predict performance on other roads, walls or "
        "cameras.",
        *_chosen_on_test(cell),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _data(cell: Mapping[str, Any], dataset: str, data: Mapping[str, Any]) -> list[str]:
    """Return size, source, licence and hash of the dataset."""
    counts = data["counts"]
    licence = data["origin"].get("licence", data.get("published", {}).get("licence", "none stated"))
    return [
        f"- {dataset}: {counts.get('train', '?')} training, {counts.get('validation', 0)} validation, "
        f"{counts.get('test', '?')} test images; source: {escape(str(data['origin']['source']))}",
        f"- licence as stated: {escape(str(licence))}",
        f"- content hash {code(cell['data'])}",
    ]


def _scores(scores: pd.DataFrame, first: str = "metric") -> list[str]:
    """Return the table of scores."""
    lines = [f"| {first} | " + " | ".join(scores.columns[1:]) + " |", "|---" * len(scores.columns) + "|"]
    for row in scores.itertuples(index=False):
        lines.append(
            f"| {escape(str(row[0]))} | " + " | ".join("" if pd.isna(v) else f"{v:.4f}" for v in row[1:]) + " |"
        )
    return lines


def _classes(classes: pd.DataFrame | None, notes: Sequence[str]) -> list[str]:
    """Return which classes count as crack, and the table of scores by class; nothing for a dataset of one class."""
    lines = ["", *map(prose, notes)] if notes else []
    if classes is None or classes.empty:
        return lines
    lines += ["", "By class, pooled; mean: over the classes, background included.", ""]
    return lines + _scores(classes.rename(columns={"iou": "IoU", "dice": "Dice"}), "class")


def _provenance(cell: Mapping[str, Any]) -> list[str]:
    """Return protocol, code, hardware, versions and settings."""
    source, hardware = cell.get("code", {}), cell.get("hardware", {})
    commit = f"{source.get('commit') or 'unknown'}{', with uncommitted changes' if source.get('dirty') else ''}"
    return [
        f"- protocol {code(cell['protocol'])}, program {code(str(cell.get('program', '?')))}, code {escape(commit)}",
        f"- hardware: {escape(', '.join(f'{k} {v}' for k, v in sorted(hardware.items())))}",
        f"- versions: {escape(', '.join(f'{k} {v}' for k, v in sorted(cell.get('versions', {}).items())))}",
        "", "<details><summary>Settings</summary>", "", "```json",
        json.dumps(cell.get("settings", {}), indent=1, sort_keys=True), "```", "", "</details>",
    ]  # fmt: skip


def _number(cell: Mapping[str, Any], key: str) -> str:
    value = cell.get(key)
    return f"{value:g}" if isinstance(value, int | float) else "?"


def _chosen_on_test(cell: Mapping[str, Any]) -> list[str]:
    """Return a caveat if the checkpoint was selected on the test split, as in the paper's protocol."""
    if cell.get("settings", {}).get("train", {}).get("select_on") != "test":
        return []
    return ["- As in the paper, the checkpoint was selected on the test split, so these scores are optimistic."]
