"""A model card of one run, in Markdown: what it is, how it scored, what it was made of, what it is not for."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd


def model_card(
    cell: Mapping[str, Any], names: Mapping[str, str], scores: pd.DataFrame, data: Mapping[str, Any], warning: str
) -> str:
    """Return the card.

    Args:
        cell: run.json of the run.
        names: id -> display name.
        scores: metric (display name), then one column per average; nan where not defined.
        data: card.json of its prepared dataset.
        warning: what stands on top, if anything.

    **Source:** Mitchell 2019, doi 10.1145/3287560.3287596, for the sections.
    """
    dataset, model = names[cell["dataset"]], names[cell["model"]]
    code, hardware = cell.get("code", {}), cell.get("hardware", {})
    commit = f"{code.get('commit') or 'not known'}{', with uncommitted changes' if code.get('dirty') else ''}"
    table = ["| metric | " + " | ".join(scores.columns[1:]) + " |", "|---" * len(scores.columns) + "|"]
    for row in scores.itertuples(index=False):
        table.append(f"| {row[0]} | " + " | ".join("" if pd.isna(v) else f"{v:.4f}" for v in row[1:]) + " |")
    counts = data["counts"]
    licence = data["origin"].get("licence", data.get("published", {}).get("licence", "none stated"))
    lines = [
        f"# {model} on {dataset}, seed {cell['seed']}", "", *([f"**{warning}**", ""] if warning else []),
        "## Model", "",
        f"- architecture {model} (`{cell['model']}`), trained {cell.get('epochs', '?')} epochs, "
        f"checkpoint of epoch {cell.get('best_epoch', '?')}; stopped: {cell.get('stopped', 'not known')}",
        f"- {_number(cell, 'seconds')} s of training, {_number(cell, 'images_per_s')} images/s, "
        f"peak memory {_number(cell, 'peak_memory_mb')} MiB",
        "", "## Data", "",
        f"- {dataset}: {counts.get('train', '?')} training, {counts.get('validation', 0)} validation, "
        f"{counts.get('test', '?')} test images; source: {data['origin']['source']}",
        f"- licence as stated: {licence}",
        f"- content hash `{cell['data']}`",
        "", "## Results on the test split", "", *table,
        "", "## Provenance", "",
        f"- protocol `{cell['protocol']}`, program `{cell.get('program', '?')}`, code {commit}",
        f"- hardware: {', '.join(f'{k} {v}' for k, v in sorted(hardware.items()))}",
        f"- versions: {', '.join(f'{k} {v}' for k, v in sorted(cell.get('versions', {}).items()))}",
        "", "<details><summary>Settings</summary>", "", "```json",
        json.dumps(cell.get("settings", {}), indent=1, sort_keys=True), "```", "", "</details>",
        "", "## Limits", "",
        "- Trained and scored on one dataset; nothing here says how it does on photographs of another road, wall or "
        "camera.",
        *_chosen_on_test(cell),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _number(cell: Mapping[str, Any], key: str) -> str:
    value = cell.get(key)
    return f"{value:g}" if isinstance(value, int | float) else "?"


def _chosen_on_test(cell: Mapping[str, Any]) -> list[str]:
    """Return the caveat of the paper's protocol, where the run follows it."""
    if cell.get("settings", {}).get("train", {}).get("select_on") != "test":
        return []
    return ["- The checkpoint was chosen on the split it is scored on, as in the paper: its scores are optimistic."]
