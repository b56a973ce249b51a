"""Score external predictions: a folder of masks or probability maps -> results/external/<model>/<dataset>/."""

import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError, shorten
from bench.formats import files, predictions, prepared, scores
from bench.formats.protocol import protocol
from bench.ranking.results import EXTERNAL
from bench.stages.evaluate import score
from bench.training.settings import TrainSettings

SUFFIXES = (".png", ".npy")

Levels = npt.NDArray[np.uint8]


def score_folder(
    folder: Path, data_folder: Path, results: Path, model: str, seed: int, train: TrainSettings, batch: int
) -> str:
    """Write the scores of a folder of predictions; return a summary.

    Scores of other seeds of the same model are kept. The protocol of params.yaml is recorded: by scoring, the user
    declares that the model followed it. ``trained`` is "external", which every ranking shows.

    Args:
        folder: one file per test item, named after it: PNG (8 or 16 bit grey) or NPY (bool, uint8, or float 0 to 1).
        data_folder: the prepared dataset.
        results: results folder; the scores go to external/<model>/<dataset> in it.
        model: name for the model.
        seed: number of the repetition.
        train: the section ``train`` of params.yaml.
        batch: images per evaluation batch.

    Raises:
        UserError: files are missing, extra, unreadable or of the wrong size; the message counts them and names some.
    """
    data = prepared.read(data_folder)
    levels = _read_all(folder, data)
    tables, histograms = score(data, lambda item, _: levels[item], batch)
    images = tables["images"]
    cell = {"dataset": data.card["dataset"], "model": model, "seed": seed}
    settings, hashed = protocol(data.card, asdict(train))
    record = cell | {
        "model_name": model, "protocol": hashed, "settings": settings, "source": data.card["origin"]["source"],
        "data": data.card["content"], "trained": EXTERNAL, "evaluation_batch": batch,
        "code": {"commit": None, "dirty": None},
        "versions": {"python": platform.python_version(), "crackbench": version("crackbench")},
        "hardware": {"processor": platform.processor() or platform.machine()},
    }  # fmt: skip
    target = results / EXTERNAL / model / data.card["dataset"]
    _write(target, {name: table.assign(**cell) for name, table in tables.items()}, histograms, record, data.card)
    dice = 2 * images["tp"].sum() / (2 * images["tp"] + images["fp"] + images["fn"]).sum()
    summary = f"{model} on {cell['dataset']}: {len(images)} items scored, pooled Dice {dice:.4f}; written to {target}."
    runs = results / "scores" / data.card["dataset"] / "cells.json"
    protocols = {c["protocol"] for c in files.read_json(runs)["cells"]} if runs.is_file() else {hashed}
    warning = f" No run in {runs.parent} follows its protocol {hashed}: it will be ranked in a table of its own."
    return summary + ("" if hashed in protocols else warning)


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
        cells += [c for c in old.cells if c["seed"] in kept]
        for name, part in parts.items():
            frame = getattr(old, name)
            part.append(frame[frame["seed"].isin(kept)])
        assert old.histograms is not None
        histograms = np.concatenate([histograms, old.histograms[old.images["seed"].isin(kept)]])
    frames = {name: pd.concat(part, ignore_index=True) for name, part in parts.items()}
    cells.sort(key=lambda c: int(c["seed"]))
    history = pd.DataFrame(columns=scores.HISTORY)
    merged = scores.Scores(**frames, histograms=histograms, history=history, cells=cells, card=card, missing=[])
    scores.write(target, merged)


def _read_all(folder: Path, data: prepared.Prepared) -> dict[str, Levels]:
    """Return floor(256 p) of every test item.

    Raises:
        UserError: files are missing, extra or of the wrong size.
    """
    items = list(data.items["item"].iloc[data.split("test")])
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder with one prediction per test item.")
    paths: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in paths:
                raise UserError(f"{path} and {paths[path.stem].name} are for the same item: keep one of them.")
            paths[path.stem] = path
    missing, extra = sorted(set(items) - paths.keys()), sorted(paths.keys() - set(items))
    faults = [f"missing: {shorten([f'{name}.png' for name in missing])}"] if missing else []
    faults += [f"no test item: {shorten([paths[name].name for name in extra])}"] if extra else []
    arrays = {name: _read(paths[name]) for name in items if name in paths}
    size = data.masks.shape[1:]
    wrong = [f"{paths[n].name} ({a.shape[1]}x{a.shape[0]} px)" for n, a in arrays.items() if a.shape != size]
    faults += [f"not {size[1]}x{size[0]} px: {shorten(wrong)}"] if wrong else []
    if faults:
        raise UserError(
            f"{folder} does not fit the {len(items)} test items of {data.card['dataset']}; {'; '.join(faults)}. "
            "The test items are the rows with split `test` in items.csv of the prepared dataset."
        )
    if all(a.dtype == np.uint8 and a.max(initial=0) <= 1 for a in arrays.values()):
        return {name: _mask(a) for name, a in arrays.items()}  # masks of 0 and 1, not probabilities below 2/256
    return {name: a if a.dtype == np.uint8 else _levels(paths[name], a) for name, a in arrays.items()}


def _read(path: Path) -> npt.NDArray[Any]:
    """Return the values of a prediction file, (H, W).

    Raises:
        UserError: the file is unreadable or has several channels.
    """
    if path.suffix.lower() == ".npy":
        try:
            array = np.load(path, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise UserError(f"{path} is not a readable array ({error}): write it with numpy.save.") from None
    else:
        array = predictions.decode(path)
        if array is None:
            raise UserError(f"{path} is not a readable PNG: write it again.")
    array = np.asarray(array).squeeze()
    if array.ndim != 2:
        raise UserError(f"{path} has shape {array.shape}: one grey or boolean value per pixel is expected.")
    return array


def _levels(path: Path, array: npt.NDArray[Any]) -> Levels:
    """Return values of a type other than 8-bit grey as floor(256 p).

    Raises:
        UserError: the values are no probabilities.
    """
    if array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1:
        return predictions.quantise(array.astype(np.float32))
    if array.dtype.kind in "biu" and array.min() >= 0 and array.max() <= 1:
        return _mask(array)
    raise UserError(
        f"{path} contains {array.dtype} from {array.min()} to {array.max()}: write probabilities as float from 0 to 1 "
        "(after the sigmoid) or as 8-bit grey, masks as bool or 0 and 1."
    )


def _mask(array: npt.NDArray[Any]) -> Levels:
    return np.where(array > 0, np.uint8(255), np.uint8(0))
