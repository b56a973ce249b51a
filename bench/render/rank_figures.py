"""Figures of ranks and cost: critical-difference diagram, heat map of ranks, accuracy against cost."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from bench.render import style
from bench.render.style import Look

Array = npt.NDArray[np.float64]

COSTS = {"gmacs": "GMACs per image", "parameters": "Parameters", "latency_ms_p50": "Latency, ms"}


CLIQUE_STEP, LABEL_STEP = 0.28, 0.42
"""Distances between bars and between labels of the critical-difference diagram, in its vertical units."""


@matplotlib.rc_context(style.RC)
def critical_difference(
    mean_ranks: Array, difference: float, cliques: Sequence[Sequence[int]], labels: Sequence[str], note: str
) -> Figure:
    """Return the critical-difference diagram: mean ranks, with bars that join models without a significant difference.

    Args:
        mean_ranks: of each model, 1 is best, (M,).
        difference: Nemenyi's critical difference, in ranks.
        cliques: groups of positions in ``mean_ranks``.
        labels: names of the models.
        note: sentence below: which test, over how many datasets.

    **Source:** Demsar 2006, JMLR 7, figure 1.
    """
    count = len(mean_ranks)
    first_label = 0.6 + CLIQUE_STEP * len(cliques)
    bottom = first_label + LABEL_STEP * -(-count // 2)
    name = 0.052 * (max(map(len, labels)) + 7)  # width of the longest label with its rank, inches
    width = max(style.COLUMN, 2 * name + 1.1)
    unit = (width - 2 * name - 0.1) / max(1, count - 1)  # inches per rank
    figure = Figure(figsize=(width, 0.65 + 0.33 * bottom))
    figure.set_layout_engine("constrained", w_pad=0.01, h_pad=0.02)
    axis = figure.subplots()
    margin = (name + 0.05) / unit
    axis.set(xlim=(1 - margin, count + margin), ylim=(bottom, -1.4))
    axis.axis("off")
    _draw_scale(axis, count, unit, difference)
    for i, group in enumerate(cliques):
        ends = mean_ranks[list(group)]
        axis.hlines(0.3 + CLIQUE_STEP * i, ends.min() - 0.06, ends.max() + 0.06, color="black", linewidth=2.6)
    _draw_labels(axis, mean_ranks, labels, unit, first_label)
    figure.supxlabel("\n".join(wrap(note, int(18 * width))), fontsize=6.5, color="#444444")
    return figure


def _draw_scale(axis: Any, count: int, unit: float, difference: float) -> None:
    """Draw the axis of ranks and the length of the critical difference above it."""
    axis.hlines(0, 1, count, color="black", linewidth=0.8)
    for rank in range(1, count + 1):
        axis.vlines(rank, -0.12, 0, color="black", linewidth=0.8)
        if unit > 0.13 or rank % 2:  # otherwise two-digit numbers would touch
            axis.text(rank, -0.2, str(rank), ha="center", va="bottom")
    shown = min(difference, count - 1)
    axis.plot([1, 1 + shown], [-0.75, -0.75], color="black", linewidth=1.6, marker="|", markersize=6)
    beyond = " (longer than the axis)" if difference > count - 1 else ""
    axis.text(1 + shown / 2, -0.82, f"critical difference {difference:.2f}{beyond}", ha="center", va="bottom")


def _draw_labels(axis: Any, mean_ranks: Array, labels: Sequence[str], unit: float, first_label: float) -> None:
    """Draw the names of the models on both sides, with a line from each to its mean rank."""
    count = len(mean_ranks)
    for place, model in enumerate(np.argsort(mean_ranks, kind="stable")):
        left = place < -(-count // 2)
        y = first_label + LABEL_STEP * (place if left else count - 1 - place)
        x = 1 - 0.06 / unit if left else count + 0.06 / unit
        axis.plot([mean_ranks[model]] * 2 + [x], [0, y, y], color="#444444", linewidth=0.6)
        text = f"{labels[model]}  {mean_ranks[model]:.2f}"
        axis.text(x + (-0.03 if left else 0.03) / unit, y, text, ha="right" if left else "left", va="center")


@matplotlib.rc_context(style.RC | {"axes.grid": False})
def rank_map(ranks: Array, mean_ranks: Array, datasets: Sequence[str], models: Sequence[str]) -> Figure:
    """Return the heat map of ranks: a row per model, sorted by mean rank (in parentheses), and a column per dataset.

    Args:
        ranks: 1 is best, (D, M); NaN where not ranked.
        mean_ranks: (M,); NaN for a model that lacks a dataset, which is listed last.
        datasets: names, D.
        models: names, M.
    """
    order = np.argsort(np.where(np.isnan(mean_ranks), np.inf, mean_ranks), kind="stable")
    figure = Figure(figsize=(style.COLUMN, 0.75 + 0.21 * len(models)))
    figure.set_layout_engine("constrained")
    axis = figure.subplots()
    axis.imshow(ranks.T[order], cmap="cividis_r", vmin=1, vmax=max(2, len(models)), aspect="auto")
    for row, model in enumerate(order):
        for column in range(len(datasets)):
            rank = ranks[column, model]
            if np.isnan(rank):
                axis.text(column, row, "–", ha="center", va="center", color="#555555")
                continue
            colour = "white" if rank > 0.55 * len(models) else "black"
            weight = "bold" if rank == np.nanmin(ranks[column]) else "normal"
            axis.text(column, row, f"{rank:g}", ha="center", va="center", color=colour, weight=weight)
    axis.set_xticks(range(len(datasets)), datasets, rotation=40, ha="right", rotation_mode="anchor")
    labels = [models[m] + ("" if np.isnan(mean_ranks[m]) else f"  ({mean_ranks[m]:.2f})") for m in order]
    axis.set_yticks(range(len(models)), labels)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return figure


@matplotlib.rc_context(style.RC)
def pareto(
    scores: Mapping[str, tuple[float, float, float]],
    costs: Mapping[str, Mapping[str, float]],
    names: Mapping[str, str],
    label: str,
    looks: Mapping[str, Look],
) -> Figure:
    """Return score against multiply-adds, parameters and latency, with the Pareto front.

    Args:
        scores: model -> score, higher is better, low and high end of its interval.
        costs: model -> ``COSTS``.
        names: id -> display name.
        label: of the vertical axis.
        looks: model id -> its look.
    """
    models = [m for m in scores if m in costs]
    figure = Figure(figsize=(style.COLUMN, 4.1 + 0.14 * -(-len(models) // 3)), layout="constrained")
    axes = figure.subplots(len(COSTS), 1, sharey=True)
    for axis, (key, title) in zip(axes, COSTS.items(), strict=True):
        x = np.array([costs[m][key] for m in models], float)
        y, low, high = np.array([scores[m] for m in models], float).reshape(-1, 3).T
        front = pareto_front(x, y)
        axis.plot(x[front], y[front], color="#444444", linewidth=0.8, drawstyle="steps-post", zorder=1)
        for i, model in enumerate(models):
            error = np.maximum(0, [[y[i] - low[i]], [high[i] - y[i]]])
            axis.errorbar(x[i], y[i], error, fmt="none", ecolor=looks[model].colour, elinewidth=0.8)
            look = looks[model].marker | {"markersize": 8 if looks[model].highlighted else 5}
            axis.plot(x[i], y[i], linestyle="", label=names[model], **look)
        _cost_axis(axis, x, title)
        if key == "parameters":
            axis.xaxis.set_major_formatter(EngFormatter())
    figure.supylabel(label, fontsize=7)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _cost_axis(axis: Any, x: Array, title: str) -> None:
    """Make the horizontal axis logarithmic, with round ticks."""
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")
    axis.set_xticks(_ticks(x))
    axis.margins(x=0.08)
    axis.set_xlabel(title, labelpad=1)


def pareto_front(cost: Array, score: Array) -> list[int]:
    """Return the positions on the Pareto front of cost (lower is better) and score (higher), by increasing cost.

    >>> pareto_front(np.array([3.0, 1, 2, 2]), np.array([0.9, 0.5, 0.4, 0.7]))
    [1, 3, 0]
    """
    front: list[int] = []
    for i in np.lexsort((-score, cost)):
        if np.isfinite(score[i]) and np.isfinite(cost[i]) and (not front or score[i] > score[front[-1]]):
            front.append(int(i))
    return front


def _ticks(x: Array) -> list[float]:
    """Return round numbers, such as 1, 2, 5, 10, within the range of the values."""
    finite = x[np.isfinite(x) & (x > 0)]
    if not len(finite):
        return [1.0]
    steps: tuple[float, ...] = (1, 2, 3, 5, 7) if finite.max() < 10 * finite.min() else (1, 2, 5)
    steps = steps if finite.max() > 2 * finite.min() else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
    candidates = [m * 10.0**e for e in range(-3, 10) for m in steps]
    inside = [c for c in candidates if finite.min() * 0.9 <= c <= finite.max() * 1.1]
    return inside or [float(finite.min())]
