"""The figure of conventions shows every score of every model, and each name."""

import numpy as np

from bench.render.convention_figure import by_convention
from bench.render.style import looks


def test_each_model_is_a_line_through_its_scores() -> None:
    scores = np.array([[0.4, np.nan, 0.6], [0.3, 0.5, 0.7]])
    names = ["IoU", "Thin", "F1"]
    figure = by_convention(scores, names, ["unet", "pan"], ["U-Net", "PAN"], looks(["unet", "pan"]))
    axis = figure.axes[0]
    for line, expected, label in zip(axis.lines, scores, ("U-Net", "PAN"), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), expected)
        assert line.get_label() == label
    assert [label.get_text() for label in axis.get_yticklabels()] == names
    assert axis.yaxis_inverted()
