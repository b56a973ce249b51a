"""The paper's figures: frames in, Figures out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

PALETTE = (
    "#4477AA", "#66CCEE", "#228833", "#CCBB44", "#AA3377", "#BBBBBB", "#88CCEE", "#999933", "#332288", "#EE6677",
)  # fmt: skip
"""Ten colours that stay apart for the colour-blind. **Source:** Tol 2021, schemes "bright" and "muted"."""

HATCHES = ("", "//", "", "\\\\", "", "..", "xx", "", "++", "")
"""A second mark beside colour, so that neighbours stay apart in grey."""

FIGURE_6 = {"crack_iou": "Crack IoU", "dice": "Dice", "recall": "Recall"}


def figure_6(
    summary: pd.DataFrame, average: str, names: Mapping[str, str], datasets: Sequence[str], models: Sequence[str]
) -> Figure:
    """Return three bar charts, crack IoU, Dice and recall, of every model on every dataset.

    Args:
        summary: dataset, model, seed, metric, average, value.
        average: which average is shown.
        names: id -> display name.
        datasets: ids, left to right.
        models: ids, in the order of the bars; a bar that is missing was not run.
    """
    chosen = summary[summary["average"] == average]
    values = chosen.groupby(["metric", "dataset", "model"])["value"].mean()
    figure = Figure(figsize=(max(6.0, 1.25 * len(datasets)), 8), layout="constrained")
    axes = figure.subplots(len(FIGURE_6), 1, sharex=True)
    width = 0.84 / len(models)
    for axis, (metric, title) in zip(axes, FIGURE_6.items(), strict=True):
        for i, model in enumerate(models):
            heights = [float(values.get((metric, dataset, model), np.nan)) for dataset in datasets]
            places = np.arange(len(datasets)) + (i - (len(models) - 1) / 2) * width
            style = {"color": PALETTE[i % len(PALETTE)], "hatch": HATCHES[i % len(HATCHES)]}
            axis.bar(places, heights, width, label=names[model], edgecolor="white", linewidth=0.3, **style)
        axis.set_ylabel(title)
        axis.set_ylim(0, 1)
        axis.grid(axis="y", linewidth=0.4, alpha=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xticks(range(len(datasets)), [names[d] for d in datasets], rotation=20, ha="right")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure
