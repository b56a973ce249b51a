"""Crack IoU by width: images fall into bins, and the intervals of those bins."""

import numpy as np
import pandas as pd

from bench.report.width import iou_by_width


def scored(rows: list[tuple[str, str, int, int, int]]) -> pd.DataFrame:
    """Return scores of one model on one dataset: item, photo, tp, fn, length of the true skeleton."""
    frame = pd.DataFrame(rows, columns=["item", "photo", "tp", "fn", "skeleton_true"])
    return frame.assign(dataset="x", model="m", fp=0, tn=0)


def test_images_fall_into_the_bin_of_their_mean_width() -> None:
    rows = [("a", "a", 20, 0, 10), ("b", "b", 29, 0, 10), ("c", "c", 30, 0, 10), ("d", "d", 500, 0, 10)]
    table = iou_by_width(scored(rows), ["m"]).set_index("bin")  # widths 2, 2.9, 3 and 50 px
    assert table["images"].to_dict() == {"< 2": 0, "2–3": 2, "3–4": 1, "4–6": 0, "6–9": 0, "≥ 9": 1}
    assert table.loc["2–3", ["value", "low", "high"]].tolist() == [1, 1, 1]


def test_the_value_is_pooled_and_images_without_cracks_are_left_out() -> None:
    rows = [("a", "a", 20, 0, 10), ("b", "b", 0, 20, 10), ("c", "c", 0, 0, 0)]
    row = iou_by_width(scored(rows), ["m"]).set_index("bin").loc["2–3"]
    assert (row["images"], row["value"]) == (2, 0.5)
    assert 0 <= row["low"] <= 0.5 <= row["high"] <= 1


def test_one_source_image_has_a_value_and_no_interval() -> None:
    rows = [("a_1", "a", 20, 0, 10), ("a_2", "a", 10, 10, 10)]
    row = iou_by_width(scored(rows), ["m"]).set_index("bin").loc["2–3"]
    assert row["value"] == 0.75
    assert np.isnan([row["low"], row["high"]]).all()


def test_an_empty_bin_is_nan() -> None:
    row = iou_by_width(scored([("a", "a", 20, 0, 10)]), ["m"]).set_index("bin").loc["≥ 9"]
    assert np.isnan([row["value"], row["low"], row["high"]]).all()
