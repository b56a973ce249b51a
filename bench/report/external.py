"""External models, scored from their predictions by `bench score`: reading their results, and their table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.ranking.protocol_name import with_name
from bench.ranking.results import Results, external_models, read
from bench.render.tables import Table

MARK = "(external)"
"""Suffix of an external model's name in every table and figure."""

METRICS = {"Crack IoU": "crack_iou", "Dice": "dice", "Recall": "recall", "Precision": "precision"}
COLUMNS = [
    "Dataset", "Model", "Protocol", "Comparable", "Crack IoU", "Crack IoU, 95 % interval", "Dice", "Recall",
    "Precision",
]  # fmt: skip


def read_all(source: Path, datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int]) -> Results:
    """Return the results of the declared cells and of the external models, whose names get a suffix.

    Raises:
        UserError: see ``bench.ranking.results.read``.
    """
    results = read(source, datasets, models, seeds, [m for m in external_models(source) if m not in models])
    return replace(
        results, names=results.names | {m: f"{results.names[m]} {MARK}" for m in results.models[len(models) :]}
    )


def table(
    results: Results, headline: pd.DataFrame, average: str, comparable: Sequence[str], left_out: Mapping[str, str]
) -> Table | None:
    """Return the scores of the external models, one row per dataset and model; None if there are none.

    Args:
        results: the results, with the external models included in the report.
        headline: dataset, model, metric, value, low, high.
        average: how these values are averaged, for the caption.
        comparable: models that declare the protocol of the runs.
        left_out: model id -> why the model is not included.
    """
    values = headline.set_index(["dataset", "model", "metric"]).sort_index()
    rows: list[dict[str, Any]] = []
    for dataset, model, protocol in sorted(
        {(c["dataset"], c["model"], c["protocol"]) for c in results.cells if c.get("trained") == "external"}
    ):
        scores = values.loc[(dataset, model)]
        low, high = scores.loc["crack_iou", ["low", "high"]]
        rows.append(
            {"Dataset": results.names[dataset], "Model": results.names[model], "Protocol": with_name(protocol)}
            | {"Comparable": "yes" if model in comparable else "no"}
            | {heading: scores.loc[metric, "value"] for heading, metric in METRICS.items()}
            | {"Crack IoU, 95 % interval": f"{low:.3f}–{high:.3f}" if np.isfinite([low, high]).all() else ""}
        )
    if not rows and not left_out:
        return None
    notes = [
        "Comparable: the model declares the protocol of the runs, so it is listed with them in Tables 3 to 5 and, if "
        "it covers all datasets, in the leaderboard and figures. The declaration is not verified.",
        *(f"Left out: {model} {why}." for model, why in sorted(left_out.items())),
    ]
    caption = f"External models, scored from their predictions ({average})."
    return Table("external", caption, pd.DataFrame(rows, columns=COLUMNS), dict.fromkeys(METRICS, 4), notes)
