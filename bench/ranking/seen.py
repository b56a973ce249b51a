"""What models have seen of the test images, by what was stated of their training, and their scores on the others."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.ranking.results import EXTERNAL, Results
from bench.render.tables import Table

COLUMNS = ["Model", "Dataset", "Stated", "Seen images", "Test images", "Share", "Crack IoU", "Crack IoU, unseen"]
WHOLE = 0.9
"""Share of a set's images from which on the index is taken to know it whole: it counts duplicates once."""
DIGITS = {"Share": 3, "Crack IoU": 4, "Crack IoU, unseen": 4}


def seen_table(results: Results) -> Table:
    """Return a row for each model and dataset of which something is stated: share seen, score with and without it."""
    stated = [c for c in results.cells if "seen" in c]
    first = {(c["model"], c["dataset"]): c["seen"] for c in reversed(stated)}
    order = sorted(first, key=lambda key: (results.models.index(key[0]), results.datasets.index(key[1])))
    rows = [_row(results, model, dataset, first[model, dataset]) for model, dataset in order]
    unstated = [m for m in results.models if m not in {model for model, _ in first}]
    external = [results.names[m] for m in unstated if results.trained(m) == EXTERNAL]
    notes = [
        "Seen: images of a source image that looks like one that the model was trained on, by fingerprints, which "
        "survive resizing, JPEG and rotation, but not cropping: a share is a lower bound. Ranks are of all images.",
    ]
    if trained := [results.names[m] for m in unstated if results.trained(m) != EXTERNAL]:
        notes.append(f"Trained by the suite, on the training images of the protocol alone: {', '.join(trained)}.")
    notes += _partly_known(first.values())
    if external:
        notes.append(f"Not stated, so that anything may have been seen: {', '.join(external)}.")
    caption = "What models have seen of the test images (crack IoU pooled, mean over seeds)."
    return Table("seen", caption, pd.DataFrame(rows, columns=COLUMNS), DIGITS, notes)


def seen_notes(results: Results) -> list[str]:
    """Return a sentence that names the models that have seen test images; empty if none has."""
    models = {c["model"] for c in results.cells if c.get("seen", {}).get("photos")}
    named = ", ".join(results.names[m] for m in results.models if m in models)
    return [f"Trained on some of the test images: {named} (`bench leaderboard --seen`)."] if named else []


def _partly_known(stated: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each set of which the index lacks more than a tenth."""
    known = {name: count for seen in stated for name, count in seen["sets"].items()}
    published = {
        name: plugins.load("datasets", name).CARD.images for name in known if name in plugins.names("datasets")
    }
    return [
        f"The index knows {known[name]} of the {count:,} images of {name}: more may have been seen."
        for name, count in published.items()
        if known[name] < WHOLE * count
    ]


def _row(results: Results, model: str, dataset: str, seen: Mapping[str, Any]) -> dict[str, Any]:
    images = results.images[(results.images["model"] == model) & (results.images["dataset"] == dataset)]
    is_seen = images["photo"].isin(seen["photos"])
    count = images["item"].nunique()
    own = [] if seen["folder_images"] is None else [f"{seen['folder_images']} own images"]
    return {
        "Model": results.names[model], "Dataset": results.names[dataset],
        "Stated": ", ".join([*seen["sets"], *own]) or "none", "Seen images": images[is_seen]["item"].nunique(),
        "Test images": count, "Share": images[is_seen]["item"].nunique() / count,
        "Crack IoU": _crack_iou(images), "Crack IoU, unseen": _crack_iou(images[~is_seen]),
    }  # fmt: skip


def _crack_iou(images: pd.DataFrame) -> float:
    """Return the pooled crack IoU, mean over seeds; NaN without images."""
    if images.empty:
        return float("nan")
    sums = images.groupby("seed")[["tp", "fp", "fn"]].sum()
    return float(np.mean(sums["tp"] / sums.sum(axis=1)))
