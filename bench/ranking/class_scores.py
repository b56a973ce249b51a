"""IoU and Dice of each class and their mean, on datasets of several classes; what "crack" is there."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.metrics.ratios import f1, iou, ratio
from bench.ranking.results import Results
from bench.stats.bootstrap import interval, resample

Array = npt.NDArray[np.float64]

RESAMPLES = 2_000
MEAN = "mean"
METRICS: dict[str, Callable[[Array, Array, Array], Array]] = {"iou": iou, "dice": f1}


def class_names(card: Mapping[str, Any]) -> list[str]:
    """Return the names of the classes of a prepared dataset, background first; "class 1" where none was given.

    >>> class_names({"classes": 3})
    ['background', 'class 1', 'class 2']
    """
    names = list(card.get("class_names", ()))
    return names or ["background", *(f"class {number}" for number in range(1, int(card.get("classes", 1))))]


def crack_notes(results: Results, datasets: Sequence[str]) -> list[str]:
    """Return which classes count as crack, a sentence for each of these datasets that has several."""
    return [note for d in datasets if d in results.cards for note in crack_note(results.names[d], results.cards[d])]


def crack_note(dataset: str, card: Mapping[str, Any]) -> list[str]:
    """Return which classes of a dataset count as crack, in a sentence; nothing for a dataset of one class.

    Args:
        dataset: its display name.
        card: card.json of the prepared dataset.

    >>> crack_note("Walls", {"classes": 3})
    ['Walls has several classes: crack is class 1 or class 2, taken as one, against background.']
    """
    if int(card.get("classes", 1)) == 1:
        return []
    background, *crack = class_names(card)
    return [f"{dataset} has several classes: crack is {' or '.join(crack)}, taken as one, against {background}."]


def class_scores(results: Results, average: str) -> pd.DataFrame:
    """Return IoU and Dice of each class and their mean over classes, of each model on each dataset of several classes.

    Columns: dataset, model, class (name), then iou, iou_low, iou_high, dice, dice_low and dice_high: the mean over
    seeds with the ends of its 95 % interval, NaN where undefined or with fewer than two source images.

    Args:
        results: with ``classes``.
        average: "pooled", "image_mean" or "batch_mean".
    """
    rows = [
        {"dataset": dataset, "model": model} | row
        for (dataset, model), part in results.classes.groupby(["dataset", "model"], sort=False)
        for row in _of_model(part, class_names(results.cards[str(dataset)]), average)
    ]
    order = {name: i for i, name in enumerate([*results.datasets, *results.models])}
    rows.sort(key=lambda row: (order[row["dataset"]], order[row["model"]]))
    return pd.DataFrame(rows)


def of_cell(results: Results, cell: Mapping[str, Any]) -> pd.DataFrame:
    """Return IoU and Dice of each class of one run, pooled: class, iou, dice; no rows where they were not counted."""
    of = results.classes
    part = of[(of["dataset"] == cell["dataset"]) & (of["model"] == cell["model"]) & (of["seed"] == cell["seed"])]
    return pooled_scores(part, results.cards[cell["dataset"]])


def pooled_scores(counts: pd.DataFrame, card: Mapping[str, Any]) -> pd.DataFrame:
    """Return IoU and Dice of each class of one run: class, iou, dice; no rows without counts.

    Args:
        counts: item, photo, batch, class, tp, fp, fn.
        card: card.json of the prepared dataset.
    """
    counts = counts.assign(seed=0, dataset="")
    rows = [] if counts.empty else list(_of_model(counts, class_names(card), "pooled", resamples=0))
    return pd.DataFrame(rows, columns=["class", *METRICS])


def _of_model(
    part: pd.DataFrame, names: Sequence[str], average: str, resamples: int = RESAMPLES
) -> Iterator[dict[str, Any]]:
    """Yield the row of each class of a model on one dataset, and that of their mean."""
    ordered = part.sort_values(["seed", "item", "class"], kind="stable")
    seeds, classes = ordered["seed"].nunique(), len(names)
    counts = ordered[["tp", "fp", "fn"]].to_numpy(float).reshape(1, seeds, -1, classes * 3)
    images = ordered.iloc[: counts.shape[2] * classes : classes]
    photos, batches = pd.factorize(images["photo"])[0], images["batch"].to_numpy()
    for number, name in enumerate([*names, MEAN]):
        row: dict[str, Any] = {"class": name}
        for metric, of_counts in METRICS.items():
            compute = _mean_of(of_counts) if name == MEAN else _one_of(of_counts, number)
            row[metric] = _value(compute, counts, batches, average)
            row |= dict.fromkeys((f"{metric}_low", f"{metric}_high"), np.nan)
            if resamples and photos.max() > 0:
                generator = np.random.default_rng([0, zlib.crc32(str(part["dataset"].iloc[0]).encode())])
                draws = resample(compute, counts, photos, batches, average, resamples, generator, stacked=True)
                low, high = interval(draws)
                row |= {f"{metric}_low": float(low[0]), f"{metric}_high": float(high[0])}
        yield row


def _one_of(metric: Callable[..., Array], number: int) -> Callable[[Array], Array]:
    """Return the metric of one class: counts (..., 3 C) -> values (...)."""
    return lambda counts: metric(*np.moveaxis(counts[..., 3 * number : 3 * number + 3], -1, 0))


def _mean_of(metric: Callable[..., Array]) -> Callable[[Array], Array]:
    """Return the mean over the classes in which the metric is defined: counts (..., 3 C) -> values (...)."""

    def compute(counts: Array) -> Array:
        values = metric(*np.moveaxis(counts.reshape(*counts.shape[:-1], -1, 3), -1, 0))
        return ratio(np.nansum(values, axis=-1), np.isfinite(values).sum(axis=-1))

    return compute


def _value(compute: Callable[[Array], Array], counts: Array, batches: npt.NDArray[Any], average: str) -> float:
    """Return the mean over seeds of a metric under an average; groups in which it is undefined are left out."""
    if average == "image_mean":
        groups = counts
    elif average == "batch_mean":
        groups = np.stack([counts[:, :, batches == batch].sum(2) for batch in np.unique(batches)], axis=2)
    else:
        groups = counts.sum(2, keepdims=True)
    values = compute(groups)
    return float(ratio(np.nansum(values, axis=2), np.isfinite(values).sum(axis=2)).mean())
