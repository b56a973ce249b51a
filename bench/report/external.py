"""Models whose predictions came from elsewhere (`bench score`): which of them the report takes, and their table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.ranking.results import Results, external_models, read
from bench.render.tables import Table

MARK = "(elsewhere)"
"""Behind the name of such a model, in every table and figure."""


def read_all(source: Path, datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int]) -> Results:
    """Return the results of the declared cells and of the models from elsewhere, whose names are marked.

    Raises:
        UserError: as ``bench.ranking.results.read``.
    """
    results = read(source, datasets, models, seeds, [m for m in external_models(source) if m not in models])
    return replace(
        results, names=results.names | {m: f"{results.names[m]} {MARK}" for m in results.models[len(models) :]}
    )


def table(
    results: Results, headline: pd.DataFrame, average: str, comparable: Sequence[str], left_out: Mapping[str, str]
) -> Table | None:
    """Return the scores of the models from elsewhere, one row per dataset; None if there are none.

    Args:
        results: with the models that the report takes.
        headline: dataset, model, metric, value, low, high.
        average: how they were averaged, for the caption.
        comparable: models that declare the protocol of the runs.
        left_out: why a model is not taken, by its id.
    """
    values = headline.set_index(["dataset", "model", "metric"]).sort_index()
    rows: list[dict[str, Any]] = []
    for dataset, model, protocol in sorted(
        {(c["dataset"], c["model"], c["protocol"]) for c in results.cells if c.get("trained") == "external"}
    ):
        known = values.loc[(dataset, model)]
        low, high = known.loc["crack_iou", ["low", "high"]]
        numbers = {"Crack IoU": "crack_iou", "Dice": "dice", "Recall": "recall", "Precision": "precision"}
        rows.append(
            {"Dataset": results.names[dataset], "Model": results.names[model], "Protocol": protocol}
            | {"Comparable": "yes" if model in comparable else "no"}
            | {heading: known.loc[metric, "value"] for heading, metric in numbers.items()}
            | {"Crack IoU, 95 % interval": f"{low:.3f}–{high:.3f}" if np.isfinite([low, high]).all() else ""}
        )
    if not rows and not left_out:
        return None
    order = ["Dataset", "Model", "Protocol", "Comparable", "Crack IoU", "Crack IoU, 95 % interval"]
    frame = pd.DataFrame(rows, columns=[*order, "Dice", "Recall", "Precision"])
    notes = [
        "Comparable: declares the protocol of the runs, so that it stands among them in Tables 3 to 5 and, with all "
        "datasets, in the leaderboard and the figures. What it was trained on is as declared, not seen.",
        *(f"Left out: {model} {why}." for model, why in sorted(left_out.items())),
    ]
    caption = f"Models from elsewhere, scored from their predictions ({average})."
    return Table("elsewhere", caption, frame, dict.fromkeys(("Crack IoU", "Dice", "Recall", "Precision"), 4), notes)
