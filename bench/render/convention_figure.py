"""Figure of models under each convention of scoring."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from bench.render import style
from bench.render.style import Look


@matplotlib.rc_context(style.RC)
def by_convention(
    scores: npt.NDArray[np.float64], conventions: Sequence[str], models: Sequence[str], labels: Sequence[str],
    looks: Mapping[str, Look],
) -> Figure:  # fmt: skip
    """Return the score of each model under each convention; where the lines of two models cross, their order changes.

    Args:
        scores: of each model and convention, (M, C); NaN where undefined, which leaves a gap.
        conventions: their names, top to bottom.
        models: ids.
        labels: names of the models.
        looks: model id -> its look.
    """
    rows = -(-len(models) // 3)
    figure = Figure(figsize=(style.COLUMN, 0.7 + 0.17 * len(conventions) + 0.14 * rows), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(conventions))
    for values, model, label in zip(scores, models, labels, strict=True):
        look = looks[model]
        axis.plot(values, places, label=label, linestyle="-", linewidth=0.5, markersize=3.5, **look.marker)
    axis.set_yticks(places, conventions)
    axis.invert_yaxis()
    axis.set(xlabel="Score")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
