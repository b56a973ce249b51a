"""Figure 6 and the curves by width: bars, crosses and axes are those of the values."""

import numpy as np
import pandas as pd
import pytest

from bench.render.figures import FIGURE_6, by_width, figure_6, top
from bench.render.style import looks

NAMES = {"cfd": "CFD", "gaps": "GAPs", "unet": "UNet", "fpn": "FPN"}


@pytest.mark.parametrize(
    ("high", "end"), [(0.0, 0.1), (0.31, 0.4), (0.4, 0.5), (0.95, 1.0), (1.0, 1.0), (float("nan"), 0.1)]
)
def test_an_axis_ends_at_the_next_tenth(high: float, end: float) -> None:
    assert top(pd.DataFrame({"value": [high], "low": [high], "high": [high]})) == pytest.approx(end)


def test_each_bar_has_its_value_and_a_missing_cell_a_cross() -> None:
    values = [("cfd", "unet", 0.6), ("cfd", "fpn", 0.4), ("gaps", "unet", 0.3)]
    rows = [(d, m, metric, v, v - 0.1, v + 0.1) for d, m, v in values for metric in FIGURE_6]
    frame = pd.DataFrame(rows, columns=["dataset", "model", "metric", "value", "low", "high"])
    figure = figure_6(frame, NAMES, ["cfd", "gaps"], ["unet", "fpn"], looks(["unet", "fpn"]))
    assert [axis.get_title() for axis in figure.axes] == list(FIGURE_6.values())
    unet, fpn = [[bar.get_width() for bar in c] for c in figure.axes[0].containers if hasattr(c, "patches")]
    assert unet == [0.6, 0.3]
    assert fpn[0] == 0.4
    assert np.isnan(fpn[1])
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["UNet", "FPN"]


def test_by_width_has_a_point_for_each_class_and_its_number_of_images() -> None:
    rows = [("< 2", 0, 5, "unet", 0.2, 0.1, 0.3), ("≥ 2", 1, 7, "unet", 0.5, 0.4, 0.6)]
    frame = pd.DataFrame(rows, columns=["bin", "order", "images", "model", "value", "low", "high"])
    axis, counts = by_width(frame, NAMES, ["unet"], looks(["unet"])).axes
    assert axis.lines[0].get_ydata().tolist() == [0.2, 0.5]
    assert [bar.get_height() for bar in counts.patches] == [5, 7]
    assert [label.get_text() for label in counts.get_xticklabels()] == ["< 2", "≥ 2"]
