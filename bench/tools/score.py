"""Score external predictions: a folder of masks or probability maps -> results/external/<model>/<dataset>/."""

import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.data.seen import Seen, stated_seen
from bench.errors import UserError
from bench.formats import files, predictions, prepared, scores
from bench.formats.protocol import protocol
from bench.metrics.ratios import f1
from bench.ranking.class_scores import pooled_scores
from bench.ranking.protocol_name import with_name
from bench.ranking.results import EXTERNAL
from bench.settings import track_version
from bench.stages.evaluate import score, score_classes
from bench.tools.read_predictions import read_with_classes
from bench.tools.track import require_same_version
from bench.training.settings import TrainSettings


def score_folder(
    folder: Path,
    data_folder: Path,
    results: Path,
    model: str,
    seed: int,
    train: TrainSettings,
    batch: int,
    resize: bool = False,
    seen: Seen | None = None,
) -> str:
    """Write the scores of a folder of predictions; return a summary.

    Scores of other seeds of the same model are kept. The protocol of params.yaml is recorded: by scoring, the user
    declares that the model followed it. ``trained`` is "external", which every ranking shows. In the open track its
    version is recorded, and earlier scores of another version are refused.

    Args:
        folder: one file per test item, named after it: PNG (8 or 16 bit grey) or NPY (bool, uint8, or float 0 to 1); of
            a tiled dataset, either tiles or whole images; of a dataset of several classes also the class of each pixel,
            see `bench.tools.read_predictions.read_with_classes`.
        data_folder: the prepared dataset.
        results: results folder; the scores go to external/<model>/<dataset> in it.
        model: name for the model.
        seed: number of the repetition.
        train: the section ``train`` of params.yaml.
        batch: images per evaluation batch.
        resize: resize predictions of another size to the prepared masks, by the nearest pixel.
        seen: what is stated of the model's training; None: as earlier scores state.

    Raises:
        UserError: files are missing, extra, unreadable or of the wrong size; the message counts them and names some; or
            earlier scores are of another version of the open track.
    """
    of_track = track_version(results / "params.yaml")
    if of_track is not None:
        require_same_version(results / EXTERNAL / model, of_track)
    data = prepared.read(data_folder)
    levels, classes = read_with_classes(folder, data, resize)
    tables, histograms = score(data, lambda item, _: levels[item], batch)
    if classes is not None:
        tables["classes"] = score_classes(data, lambda item, _: classes[item], batch)
    images = tables["images"]
    cell = {"dataset": data.card["dataset"], "model": model, "seed": seed}
    settings, hashed = protocol(data.card, asdict(train))
    record = cell | {
        "model_name": model, "protocol": hashed, "settings": settings, "source": data.card["origin"]["source"],
        "data": data.card["content"], "trained": EXTERNAL, "evaluation_batch": batch,
        "code": {"commit": None, "dirty": None},
        "versions": {"python": platform.python_version(), "crackbench": version("crackbench")},
        "hardware": {"processor": platform.processor() or platform.machine()},
    } | ({} if of_track is None else {"track_version": of_track})  # fmt: skip
    target = results / EXTERNAL / model / data.card["dataset"]
    record |= stated_seen(seen, data, target)
    _write(target, {name: table.assign(**cell) for name, table in tables.items()}, histograms, record, data.card)
    dice = float(f1(*images[["tp", "fp", "fn"]].to_numpy(float).sum(0)))
    pooled = "undefined, as neither masks nor predictions have crack" if np.isnan(dice) else f"{dice:.4f}"
    summary = f"{model} on {cell['dataset']}: {len(images)} items scored, pooled Dice {pooled}; written to {target}."
    runs = results / "scores" / data.card["dataset"] / "cells.json"
    protocols = {c["protocol"] for c in files.read_json(runs)["cells"]} if runs.is_file() else {hashed}
    warning = f" No run in {runs.parent} follows its protocol {with_name(hashed)}: it is ranked in a table of its own."
    summary += _by_class(tables.get("classes"), data.card)
    summary += "" if np.isnan(dice) else _remark(levels.values())
    return summary + ("" if hashed in protocols else warning)


def _by_class(counts: pd.DataFrame | None, card: dict[str, Any]) -> str:
    """Return IoU and Dice of each class and their mean; with no counts on a dataset of several classes, the reason."""
    if card.get("classes", 1) == 1:
        return ""
    if counts is None:
        return (
            f" No class was scored, only crack against background: for the scores of each class write the numbers "
            f"0 to {card['classes'] - 1}, or put maps of them into the folder {predictions.CLASSES} beside the files "
            "(needed if they are only 0 and 1, which may be masks)."
        )
    table = pooled_scores(counts, card)
    rows = (f"{name} {iou:.4f} / {dice:.4f}" for name, iou, dice in table.itertuples(index=False))
    return f" IoU / Dice by class: {', '.join(rows)}."


def _remark(levels: Iterable[npt.NDArray[np.uint8]]) -> str:
    """Return a warning if no pixel, or every pixel, is predicted as crack."""
    predicted = [(array >= 128) for array in levels]
    if not any(array.any() for array in predicted):
        return " No pixel is predicted as crack: check the files."
    if all(array.all() for array in predicted):
        return " Every pixel is predicted as crack: check the files, they may be inverted."
    return ""


def _write(
    target: Path,
    tables: dict[str, pd.DataFrame],
    histograms: npt.NDArray[np.uint32],
    record: dict[str, Any],
    card: dict[str, Any],
) -> None:
    """Write scores, keeping those of other seeds on the same data."""
    cells, parts = [record], {name: [table] for name, table in tables.items()}
    if (target / "cells.json").is_file():
        try:
            old = scores.read(target)
        except UserError as error:
            raise UserError(
                f"delete {target}, whose earlier scores cannot be read, and run `bench score` again: {error}"
            ) from None
        kept = [c["seed"] for c in old.cells if c["seed"] != record["seed"] and c["data"] == record["data"]]
        stated = {"seen": record["seen"]} if "seen" in record else {}  # of the model, not of a seed
        cells += [c | stated for c in old.cells if c["seed"] in kept]
        for name in {*parts, "classes"}:
            frame = getattr(old, name)
            parts.setdefault(name, []).append(frame[frame["seed"].isin(kept)])
        assert old.histograms is not None
        histograms = np.concatenate([histograms, old.histograms[old.images["seed"].isin(kept)]])
    frames = {name: pd.concat([*filter(len, part)] or part, ignore_index=True) for name, part in parts.items()}
    cells.sort(key=lambda c: int(c["seed"]))
    history = pd.DataFrame(columns=scores.HISTORY)
    merged = scores.Scores(**frames, histograms=histograms, history=history, cells=cells, card=card, missing=[])
    scores.write(target, merged)
