"""Figures of training on one dataset and testing on others: heat map, and models at home against abroad."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from bench.render import style
from bench.render.style import Look

Array = npt.NDArray[np.float64]


@matplotlib.rc_context(style.RC)
def heat_map(values: Array, labels: Sequence[str], left_out: npt.NDArray[np.int64]) -> Figure:
    """Return a heat map of crack IoU by training dataset (rows) and test dataset (columns).

    Args:
        values: (D, D); NaN where no test image is left.
        labels: names of the datasets.
        left_out: number of test images left out of each pair, (D, D); a star marks the pairs.
    """
    count = len(labels)
    side = min(style.COLUMN, 1.6 + 0.5 * count)
    figure = Figure(figsize=(side, 0.85 * side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(values, cmap="viridis", vmin=0, vmax=max(0.05, float(np.nanmax(values))))
    middle = float(np.nanmax(values)) / 2
    for row, column in np.ndindex(values.shape):
        value, star = values[row, column], "*" if left_out[row, column] else ""
        text = f"{value:.2f}{star}" if np.isfinite(value) else "none"
        shade = "black" if not np.isfinite(value) or value > middle else "white"
        axis.text(column, row, text, ha="center", va="center", fontsize=5.5, color=shade)
    axis.set_xticks(range(count), labels, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(count), labels)
    axis.set(xlabel="Tested on", ylabel="Trained on")
    axis.grid(visible=False)
    figure.colorbar(image, label="Crack IoU", shrink=0.8)
    return figure


@matplotlib.rc_context(style.RC)
def home_and_abroad(
    home: Array, abroad: Array, low: Array, high: Array, models: Sequence[str], labels: Sequence[str],
    looks: Mapping[str, Look],
) -> Figure:  # fmt: skip
    """Return crack IoU abroad against that at home, one point per model.

    Args:
        home: of each model, (M,).
        abroad: of each model, (M,).
        low: lower ends of the intervals, at home and abroad, (M, 2).
        high: upper ends, (M, 2).
        models: ids.
        labels: names of the models.
        looks: model id -> its look.
    """
    figure = Figure(figsize=(style.COLUMN, 2.6 + 0.14 * -(-len(models) // 3)), layout="constrained")
    axis = figure.subplots()
    for i, model in enumerate(models):
        ends = np.array([[home[i]], [abroad[i]]])
        below, above = np.maximum(0, ends[:, 0] - low[i]), np.maximum(0, high[i] - ends[:, 0])
        axis.errorbar(
            home[i], abroad[i], [[below[1]], [above[1]]], [[below[0]], [above[0]]], fmt="none",
            ecolor=looks[model].colour, elinewidth=0.4,
        )  # fmt: skip
        point = looks[model].marker
        axis.plot(home[i], abroad[i], linestyle="none", label=labels[i], **point)
    axis.set(xlabel="Crack IoU at home", ylabel="Crack IoU abroad")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
