"""The critical-difference diagram: mean ranks on a line, bars over models that do not differ."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

LINE = "#333333"
BAR = "#AA3377"


def critical_difference_diagram(
    names: Sequence[str],
    mean_ranks: npt.NDArray[np.float64],
    difference: float,
    cliques: Sequence[Sequence[int]],
    title: str = "",
) -> Figure:
    """Return the diagram: best to the left, a bar over each group whose mean ranks lie within the difference.

    Args:
        names: display names of K models.
        mean_ranks: (K,), 1 is best.
        difference: critical difference, ranks.
        cliques: groups of positions that do not differ, from ``bench.stats.ranks.cliques``.
        title: above it; what it can and cannot show belongs here.

    **Source:** Demsar 2006, JMLR 7, section 3.2.4.
    """
    count = len(names)
    order = np.argsort(mean_ranks, kind="stable")
    rows = (count + 1) // 2
    figure = Figure(figsize=(8, 1.3 + 0.28 * (rows + len(cliques))), layout="constrained")
    axis = figure.subplots()
    axis.set_axis_off()
    axis.plot([1, count], [0, 0], color=LINE, linewidth=1)
    for rank in range(1, count + 1):
        axis.plot([rank, rank], [0, 0.15], color=LINE, linewidth=1)
        axis.text(rank, 0.25, str(rank), ha="center", va="bottom", fontsize=9)
    axis.plot([1, 1 + difference], [1.1, 1.1], color=LINE, linewidth=2)
    axis.text(1 + difference / 2, 1.2, f"critical difference {difference:.2f}", ha="center", va="bottom", fontsize=9)
    for level, group in enumerate(cliques):
        span = mean_ranks[list(group)]
        axis.plot([span.min() - 0.05, span.max() + 0.05], [-0.3 - 0.3 * level] * 2, color=BAR, linewidth=3)
    below = -0.3 - 0.3 * len(cliques)
    for position, model in enumerate(order):
        left = position < rows
        row = position if left else count - 1 - position
        height, side = below - 0.4 * (row + 1), 0.4 if left else count + 0.6
        axis.plot([mean_ranks[model], mean_ranks[model], side], [0, height, height], color=LINE, linewidth=0.8)
        label = f"{names[model]}  {mean_ranks[model]:.2f}"
        axis.text(
            side, height, f"{label} " if left else f" {label}", ha="right" if left else "left", va="center", fontsize=9
        )
    axis.set_xlim(-1.6, count + 2.6)
    axis.set_title(title, fontsize=9)
    return figure
