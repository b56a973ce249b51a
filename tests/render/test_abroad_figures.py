"""Heat map and scatter of home and abroad: every value and every model is shown."""

import numpy as np

from bench.render.abroad_figures import heat_map, home_and_abroad
from bench.render.style import looks


def test_the_heat_map_writes_each_value_and_marks_what_was_left_out() -> None:
    values = np.array([[0.5, 0.125], [np.nan, 0.75]])
    figure = heat_map(values, ["A", "B"], np.array([[0, 3], [0, 0]]))
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["0.50", "0.12*", "none", "0.75"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["A", "B"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("Tested on", "Trained on")


def test_each_model_is_a_point_with_its_name() -> None:
    home, abroad = np.array([0.6, 0.5]), np.array([0.2, 0.3])
    ends = np.column_stack([home, abroad])
    figure = home_and_abroad(
        home, abroad, ends - 0.05, ends + 0.05, ["unet", "pan"], ["U-Net", "PAN"], looks(["unet", "pan"])
    )
    points = {
        line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines if line.get_label()[0] != "_"
    }
    assert points == {"U-Net": [[0.6, 0.2]], "PAN": [[0.5, 0.3]]}
