"""Figure 6 of the paper, and crack IoU by crack width."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from bench.render import style
from bench.render.style import Look

FIGURE_6 = {"crack_iou": "Crack IoU", "dice": "Dice", "recall": "Recall"}

BAR = 0.13
"""Maximum thickness of a bar, inches."""
APART = 1.6
"""Space between datasets, in bars."""


@matplotlib.rc_context(style.RC)
def figure_6(
    values: pd.DataFrame, names: Mapping[str, str], datasets: Sequence[str], models: Sequence[str],
    looks: Mapping[str, Look],
) -> Figure:  # fmt: skip
    """Return three bar charts, crack IoU, Dice and recall, of every model on every dataset, with 95 % intervals.

    The bars are horizontal, so that a hundred of them keep their hatches and labels at the width of one column.

    Args:
        values: dataset, model, metric, value, low, high.
        names: id -> display name.
        datasets: ids, from top to bottom.
        models: ids, in the order of the bars; a cross marks a missing cell.
        looks: model id -> its look.
    """
    table = values.set_index(["metric", "dataset", "model"])[["value", "low", "high"]]
    step = len(models) + APART
    bars = len(datasets) * step * min(BAR, (style.DEPTH - 1.1) / (len(datasets) * step))
    figure = Figure(figsize=(style.COLUMN, bars + 0.5 + 0.14 * -(-len(models) // 3)), layout="constrained")
    axes = figure.subplots(1, len(FIGURE_6), sharey=True)
    for axis, (metric, title) in zip(axes, FIGURE_6.items(), strict=True):
        for i, model in enumerate(models):
            cells = [(metric, dataset, model) for dataset in datasets]
            ends = table.reindex(pd.MultiIndex.from_tuples(cells)).to_numpy(float)
            _bars(axis, np.arange(len(datasets)) * step + i, ends, looks[model], names[model])
        axis.set(title=title, xlim=(0, top(values[values["metric"] == metric])))
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
        for place in np.arange(1, len(datasets)) * step - (APART + 1) / 2:
            axis.axhline(place, color="#CCCCCC", linewidth=0.5)
    middle = (len(models) - 1) / 2
    axes[0].set_yticks(np.arange(len(datasets)) * step + middle, [names[d].replace(" ", "\n") for d in datasets])
    axes[0].set_ylim(len(datasets) * step - (APART + 1) / 2, -(APART + 1) / 2)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _bars(axis: Any, places: npt.NDArray[Any], ends: npt.NDArray[Any], look: Look, label: str) -> None:
    """Draw the bars of one model: its value, low and high, (D, 3), at D places."""
    value, low, high = ends.T
    axis.barh(
        places, value, 1, label=label, color=look.colour, hatch=look.hatch,
        edgecolor="white", linewidth=0.2,
    )  # fmt: skip
    axis.errorbar(value, places, xerr=_beyond(value, low, high), fmt="none", ecolor="black", elinewidth=0.6)
    if (missing := places[np.isnan(value)]).size:
        axis.plot(0 * missing, missing, "x", color="#888888", ms=2.5, mew=0.5, clip_on=False)


@matplotlib.rc_context(style.RC)
def by_width(
    values: pd.DataFrame, names: Mapping[str, str], models: Sequence[str], looks: Mapping[str, Look]
) -> Figure:
    """Return crack IoU against the mean crack width of an image, and the number of images per bin of width.

    Args:
        values: bin ("< 2", ...), order, images, model, value, low, high; NaN for a bin without images.
        names: id -> display name.
        models: ids.
        looks: model id -> its look.
    """
    bins = values.drop_duplicates("bin").sort_values("order")
    figure = Figure(figsize=(style.COLUMN, 3.0 + 0.14 * -(-len(models) // 3)), layout="constrained")
    axis, counts = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    places = np.arange(len(bins))
    for i, model in enumerate(models):
        part = values[values["model"] == model].sort_values("order")
        shift = (i - (len(models) - 1) / 2) * 0.05
        value, low, high = part[["value", "low", "high"]].to_numpy(float).T
        point = looks[model].marker | {"markersize": 3.5}
        axis.plot(places + shift, value, **looks[model].line | point, label=names[model])
        axis.errorbar(
            places + shift, value, _beyond(value, low, high), fmt="none", ecolor=looks[model].colour, elinewidth=0.5
        )
    axis.set(ylabel="Crack IoU, pooled", ylim=(0, top(values)))
    counts.bar(places, bins["images"], 0.6, color="#666666")
    counts.bar_label(counts.containers[0], fontsize=6.5, padding=1)
    counts.margins(y=0.5)
    counts.set_ylabel("Images")
    counts.grid(visible=False)
    counts.set_xticks(places, bins["bin"])
    counts.set_xlabel("Mean crack width in the image, px")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def top(values: pd.DataFrame) -> float:
    """Return the upper limit of an axis of shares: the next tenth above all values and intervals, at most 1.

    >>> top(pd.DataFrame({"value": [0.31], "low": [0.2], "high": [0.42]}))
    0.5
    """
    highest = np.nanmax(values[["value", "high"]].to_numpy(float), initial=0.05)
    return min(1.0, float(np.ceil(10 * highest + 1e-9)) / 10)


def _beyond(value: npt.NDArray[Any], low: npt.NDArray[Any], high: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the distances of an interval's ends below and above the value, (2, N)."""
    return np.maximum(0, [value - low, high - value])
