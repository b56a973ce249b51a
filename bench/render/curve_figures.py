"""Figures with one panel per dataset and one line per model: precision-recall curves and training curves."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.render import style
from bench.render.style import Look

COLUMNS = 3
"""Panels per row."""
SIDE = 0.94
"""Side of a square panel, inches."""
LEGEND_LINES = 6
"""Lines of a legend that fit beside a panel."""


@matplotlib.rc_context(style.RC)
def precision_recall(
    curves: pd.DataFrame,
    names: Mapping[str, str],
    datasets: Sequence[str],
    models: Sequence[str],
    looks: Mapping[str, Look],
) -> Figure:
    """Return precision against recall at all thresholds, pooled over test images and seeds; a dot marks p = 0.5.

    Args:
        curves: dataset, model, seed, threshold, tp, fp, fn.
        names: id -> display name.
        datasets: ids, one panel each.
        models: ids.
        looks: model id -> its look.
    """
    parts = frames_by_cell(curves.groupby(["dataset", "model", "threshold"])[["tp", "fp", "fn"]].sum())

    def draw(axis: Any, dataset: str, model: str) -> None:
        precision, recall = ratios(parts[(dataset, model)])
        look = looks[model]
        if is_binary(parts[(dataset, model)]):
            axis.plot(recall[128], precision[128], linestyle="", markersize=4, **look.marker, label=names[model])
            return
        axis.plot(recall, precision, **look.line, label=names[model])
        axis.plot(recall[128], precision[128], marker="o", markersize=2.5, color=look.colour, zorder=4)

    figure = _panels(parts, draw, names, datasets, models, ("Recall", "Precision"))
    for axis in figure.axes[: len(datasets)]:
        axis.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), aspect="equal")
        _iso_f1(axis)
    return figure


@matplotlib.rc_context(style.RC)
def training(
    history: pd.DataFrame,
    names: Mapping[str, str],
    datasets: Sequence[str],
    models: Sequence[str],
    looks: Mapping[str, Look],
) -> Figure:
    """Return the loss per epoch on the split that selects the checkpoint (line) and on the training split (faint).

    Args:
        history: dataset, model, seed, epoch, train_loss, val_loss; the mean over seeds is shown.
        names: id -> display name.
        datasets: ids, one panel each.
        models: ids.
        looks: model id -> its look.
    """
    parts = frames_by_cell(history.groupby(["dataset", "model", "epoch"])[["train_loss", "val_loss"]].mean())

    def draw(axis: Any, dataset: str, model: str) -> None:
        rows: pd.DataFrame = parts[(dataset, model)]
        lone = {"marker": "o", "markersize": 3} if len(rows) == 1 else {}
        look = looks[model].line
        axis.plot(rows.index, rows["val_loss"], **look | {"linewidth": 0.9}, **lone, label=names[model])
        axis.plot(rows.index, rows["train_loss"], **look | {"linewidth": 0.5}, alpha=0.45)

    figure = _panels(parts, draw, names, datasets, models, ("Epoch", "Loss; faint: on the training split"))
    for axis in figure.axes:
        axis.xaxis.set_major_locator(MaxNLocator(3, integer=True, min_n_ticks=2))
    return figure


def frames_by_cell(frame: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Split a frame indexed by dataset, model and a third level into one frame per cell, indexed by that level."""
    return {(str(d), str(m)): part.droplevel([0, 1]) for (d, m), part in frame.groupby(level=[0, 1])}


def ratios(counts: pd.DataFrame) -> tuple[Any, Any]:
    """Return precision and recall of counts tp, fp, fn; NaN where undefined."""
    tp, fp, fn = counts[["tp", "fp", "fn"]].to_numpy(float).T
    with np.errstate(invalid="ignore"):
        return tp / (tp + fp), tp / (tp + fn)


def is_binary(counts: pd.DataFrame) -> bool:
    """Return whether counts by threshold are those of a binary mask, which has one point instead of a curve."""
    return bool((counts.loc[1:255].nunique() == 1).all())


def _panels(
    cells: Container[tuple[str, str]],
    draw: Callable[[Any, str, str], None],
    names: Mapping[str, str],
    datasets: Sequence[str],
    models: Sequence[str],
    labels: tuple[str, str],
) -> Figure:
    """Return a grid of panels with shared axes and one legend.

    Args:
        cells: (dataset, model) pairs that have data.
        draw: draws a cell into its panel.
        names: id -> display name.
        datasets: ids, one panel each.
        models: ids.
        labels: of the x and y axes.
    """
    columns = min(COLUMNS, len(datasets))
    rows = -(-len(datasets) // columns)
    side = SIDE * COLUMNS / columns
    beside = columns * rows - len(datasets) == 2 and len(models) <= 2 * LEGEND_LINES  # room beside the last panel
    legend = 0.2 if beside else 0.35 + 0.14 * -(-len(models) // COLUMNS)
    figure = Figure(figsize=(style.COLUMN, rows * (side + 0.2) + legend), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axis, dataset in zip(axes, datasets, strict=False):
        for model in [m for m in models if (dataset, m) in cells]:
            draw(axis, dataset, model)
        axis.set_title(names[dataset])
    for axis in axes[len(datasets) :]:
        axis.set_visible(False)
    for axis in axes[len(datasets) - columns : len(datasets)]:
        axis.set_xlabel(labels[0], labelpad=1)
        axis.tick_params(labelbottom=True)
    figure.supylabel(labels[1], fontsize=7)
    _add_legend(figure, beside)
    return figure


def _add_legend(figure: Figure, beside: bool) -> None:
    """Add one legend of all panels, beside the last panel or below them."""
    handles: dict[str, Any] = {}
    for axis in figure.axes:
        handles |= dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    below = {"loc": "outside lower center", "ncols": COLUMNS}
    place: Any = {"loc": "lower right", "ncols": 2, "handlelength": 1.8} if beside else below
    figure.legend(list(handles.values()), list(handles), **place)


def _iso_f1(axis: Any) -> None:
    """Draw lines of constant F1."""
    recall = np.linspace(0.01, 1, 100)
    for f1 in (0.3, 0.6, 0.9):
        known = 2 * recall - f1 > 0.01
        line = f1 * recall[known] / (2 * recall[known] - f1)
        axis.plot(recall[known][line <= 1], line[line <= 1], color="#BBBBBB", linewidth=0.4, zorder=0)
        axis.text(0.985, f1 / (2 - f1) + 0.015, f"{f1:g}", fontsize=5, color="#777777", ha="right", va="bottom")
