"""Panels of images: boxes around missed pieces, and what each panel holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from bench.render.panels import LEAST_PX, augmentations, comparison, failures, gates, missed_pieces

IMAGE = np.full((32, 32, 3), 128, np.uint8)


def line(row: int, start: int = 0, stop: int = 32) -> np.ndarray:
    mask = np.zeros((32, 32), bool)
    mask[row, start:stop] = True
    return mask


def test_a_piece_is_missed_beyond_two_pixels_only() -> None:
    true = line(10)
    assert missed_pieces(true, true, line(12)) == []
    assert len(missed_pieces(true, true, line(13))) == 1
    assert missed_pieces(true, np.zeros_like(true), line(20)) == []  # the first one misses it too


def test_small_pieces_get_no_box_and_separate_ones_one_each() -> None:
    nothing = np.zeros((32, 32), bool)
    assert missed_pieces(line(10, 0, LEAST_PX - 1), line(10), nothing) == []
    two = line(5, 0, LEAST_PX) | line(20, 0, LEAST_PX)
    assert [box[1] for box in missed_pieces(two, two, nothing)] == [2.5, 17.5]


@given(st.integers(2, 25), st.integers(0, 10), st.integers(20, 30))
def test_boxes_surround_their_piece(row: int, start: int, stop: int) -> None:
    true = line(row, start, stop)
    if stop - start < LEAST_PX:
        return
    ((x, y, width, height),) = missed_pieces(true, true, np.zeros_like(true))
    assert x < start
    assert stop - 1 < x + width
    assert y < row < y + height


def test_a_model_that_was_not_run_is_said_to_be() -> None:
    figure = comparison([("CFD", IMAGE, line(5), [line(5), None, line(20)])], ["A", "B", "C"])
    assert [axis.get_title() for axis in figure.axes] == ["Image", "Ground truth", "A", "B", "C"]
    assert [text.get_text() for axis in figure.axes for text in axis.texts] == ["not run"]
    assert [len(axis.patches) for axis in figure.axes] == [0, 0, 0, 0, 1]


def test_gates_are_named_by_their_scale() -> None:
    maps = [np.zeros((side, side), np.uint8) for side in (2, 16)]
    figure = gates([("CFD", IMAGE, line(5), maps, line(5))])
    titles = [axis.get_title() for axis in figure.axes[:5]]
    assert titles == ["Image", "gate at 1/16", "gate at 1/2", "Prediction", "Ground truth"]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_failures_show_two_panels_for_each_dataset(count: int) -> None:
    rows = [(f"D{i}", IMAGE, line(5), line(8), "thin crack") for i in range(count)]
    visible = [axis for axis in failures(rows).axes if axis.get_visible()]
    assert len(visible) == 2 * count
    assert [axis.get_title(loc="left") for axis in visible[::2]] == [f"D{i}" for i in range(count)]


def test_augmentations_show_images_above_their_masks() -> None:
    figure = augmentations([("original", [IMAGE] * 3, [line(5)] * 3), ("flip", [IMAGE] * 3, [line(9)] * 3)])
    assert len(figure.axes) == 12
    assert [figure.axes[i].get_ylabel() for i in (0, 6)] == ["original", "flip"]


def pixels(figure: Figure) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_ignored_pixels_are_hatched_and_named() -> None:
    image, true = np.full((32, 32, 3), 200, np.uint8), np.zeros((32, 32), bool)
    true[4:6] = True
    ignored = np.zeros_like(true)
    ignored[16:] = True
    row = ("cfd", image, true, true, "cause")
    plain, none, hatched = (failures([row], masks) for masks in ((), [~ignored & ignored], [ignored]))
    assert (pixels(plain) == pixels(none)).all()
    assert (pixels(plain) != pixels(hatched)).any()
    assert [text.get_text() for text in hatched.legends[0].get_texts()][-1] == "ignored"
    shown = comparison([("cfd", image, true, [true])], ["UNet"], [ignored])
    changed = (pixels(shown) != pixels(comparison([("cfd", image, true, [true])], ["UNet"]))).any(-1)
    rows = np.flatnonzero(changed.any(1))
    assert rows.size
    assert rows.min() > changed.shape[0] / 2  # in the lower half of the ground truth only
