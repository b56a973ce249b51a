"""Figure 6 of the paper and crack IoU by width of the crack: bars and curves over datasets."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.render import style

FIGURE_6 = {"crack_iou": "Crack IoU", "dice": "Dice", "recall": "Recall"}


@matplotlib.rc_context(style.RC)
def figure_6(values: pd.DataFrame, names: Mapping[str, str], datasets: Sequence[str], models: Sequence[str]) -> Figure:
    """Return three bar charts, crack IoU, Dice and recall, of every model on every dataset, with 95 % intervals.

    Args:
        values: dataset, model, metric, value, low, high.
        names: id -> display name.
        datasets: ids, left to right.
        models: ids, in the order of the bars; a bar that is missing was not run.
    """
    table = values.set_index(["metric", "dataset", "model"])[["value", "low", "high"]]
    figure = Figure(figsize=(min(style.PAGE, max(style.COLUMN, 0.75 * len(datasets) + 1)), 6.6), layout="constrained")
    axes = figure.subplots(len(FIGURE_6), 1, sharex=True)
    width = 0.86 / len(models)
    for axis, (metric, title) in zip(axes, FIGURE_6.items(), strict=True):
        for i, model in enumerate(models):
            cells = [(metric, dataset, model) for dataset in datasets]
            value, low, high = table.reindex(pd.MultiIndex.from_tuples(cells)).to_numpy(float).T
            places = np.arange(len(datasets)) + (i - (len(models) - 1) / 2) * width
            axis.bar(
                places, value, width, label=names[model], color=style.colour(model),
                hatch=style.HATCHES.get(model, ""), edgecolor="white", linewidth=0.2,
            )  # fmt: skip
            error = np.maximum(0, [value - low, high - value])
            axis.errorbar(places, value, error, fmt="none", ecolor="black", elinewidth=0.6, capsize=0)
        axis.set_ylabel(title)
        axis.set_ylim(0, 1)
        axis.grid(axis="x", visible=False)
        axis.margins(x=0.01)
    axes[-1].set_xticks(range(len(datasets)), [names[d] for d in datasets], rotation=20, ha="right")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5 if len(datasets) > 3 else 2)
    return figure


@matplotlib.rc_context(style.RC)
def by_width(values: pd.DataFrame, names: Mapping[str, str], models: Sequence[str]) -> Figure:
    """Return crack IoU against the mean width of the crack in an image, and how many images each width has.

    Args:
        values: bin ("< 2", ...), order, images, model, value, low, high; nan where a bin has no image.
        names: id -> display name.
        models: ids.
    """
    bins = values.drop_duplicates("bin").sort_values("order")
    figure = Figure(figsize=(style.COLUMN, 3.9), layout="constrained")
    axis, counts = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    places = np.arange(len(bins))
    for i, model in enumerate(models):
        part = values[values["model"] == model].sort_values("order")
        shift = (i - (len(models) - 1) / 2) * 0.05
        value, low, high = part[["value", "low", "high"]].to_numpy(float).T
        axis.plot(places + shift, value, **style.line(model), **_point(model), label=names[model])
        error = np.maximum(0, [value - low, high - value])
        axis.errorbar(places + shift, value, error, fmt="none", ecolor=style.colour(model), elinewidth=0.5)
    axis.set_ylabel("Crack IoU, pooled")
    axis.set_ylim(0, 1)
    counts.bar(places, bins["images"], 0.6, color="#666666")
    counts.bar_label(counts.containers[0], fontsize=6, padding=1)
    counts.margins(y=0.35)
    counts.set_ylabel("Images")
    counts.grid(visible=False)
    counts.set_xticks(places, bins["bin"])
    counts.set_xlabel("Mean width of the crack in the image, px")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=6.5)
    return figure


def _point(model: str) -> dict[str, object]:
    return {k: v for k, v in style.marker(model).items() if k != "color"} | {"markersize": 3.5}
