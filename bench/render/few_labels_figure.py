"""Figure of crack IoU by number of training images."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from bench.render import style
from bench.render.style import Look

Array = npt.NDArray[np.float64]


@matplotlib.rc_context(style.RC)
def by_training_images(
    values: Array, low: Array, high: Array, counts: Sequence[str], models: Sequence[str], labels: Sequence[str],
    looks: Mapping[str, Look],
) -> Figure:  # fmt: skip
    """Return crack IoU with its interval by number of training images, a line per model.

    Args:
        values: (N, M).
        low: lower ends of the intervals, (N, M); NaN leaves an interval out.
        high: upper ends, (N, M).
        counts: the numbers as text, N, in the order of the axis, which is not to scale.
        models: ids, M.
        labels: names of the models, M.
        looks: model id -> its look.
    """
    figure = Figure(figsize=(style.COLUMN, 2.4 + 0.14 * -(-len(models) // 3)), layout="constrained")
    axis = figure.subplots()
    for m, (model, label) in enumerate(zip(models, labels, strict=True)):
        places = np.arange(len(counts)) + 0.06 * (m - (len(models) - 1) / 2)  # beside each other
        ends = np.maximum(0, [values[:, m] - low[:, m], high[:, m] - values[:, m]])
        axis.errorbar(places, values[:, m], ends, fmt="none", ecolor=looks[model].colour, elinewidth=0.6)
        axis.plot(places, values[:, m], label=label, markersize=4, **looks[model].line | looks[model].marker)
    axis.set_xticks(range(len(counts)), counts)
    axis.set(xlabel="Labelled training images per dataset", ylabel="Crack IoU")
    axis.set_ylim(bottom=0)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
