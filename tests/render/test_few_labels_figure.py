"""The figure of few labels shows every model's scores, from few to all."""

import numpy as np

from bench.render.few_labels_figure import by_training_images
from bench.render.style import looks


def test_each_model_is_a_line_over_the_numbers() -> None:
    values = np.array([[0.2, 0.3], [0.4, 0.5]])
    looked = looks(["unet", "pan"])
    figure = by_training_images(
        values, values - 0.1, values + 0.1, ["5", "all"], ["unet", "pan"], ["U-Net", "PAN"], looked
    )
    axis = figure.axes[0]
    lines = {line.get_label(): line.get_ydata().tolist() for line in axis.lines if line.get_label()[0] != "_"}
    assert lines == {"U-Net": [0.2, 0.4], "PAN": [0.3, 0.5]}
    assert [label.get_text() for label in axis.get_xticklabels()] == ["5", "all"]
    assert axis.get_ylim()[0] == 0
