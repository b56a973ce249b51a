"""Ranks, crack width and means of the report, by hand."""

import numpy as np
import pandas as pd
import pytest

from bench.report.context import iou_by_width, rank
from bench.stats.ranks import critical_difference


def test_ranks_of_a_complete_grid() -> None:
    ranked = rank(np.array([[0.9, 0.5, 0.7], [0.8, 0.8, 0.1]]))
    assert ranked.ranks.tolist() == [[1, 3, 2], [1.5, 1.5, 3]]
    assert ranked.mean_ranks.tolist() == [1.25, 2.25, 2.5]
    assert ranked.difference == critical_difference(3, 2)


def test_an_incomplete_model_has_no_mean_rank_and_there_is_no_critical_difference() -> None:
    ranked = rank(np.array([[0.9, 0.5], [0.8, np.nan]]))
    assert ranked.mean_ranks.tolist() == pytest.approx([1, np.nan], nan_ok=True)
    assert np.isnan(ranked.difference)
    assert ranked.cliques == []


def test_images_fall_into_the_class_of_their_mean_width() -> None:
    rows = [("a", 20, 10), ("b", 29, 10), ("c", 30, 10), ("d", 500, 10)]  # widths 2, 2.9, 3 and 50 px
    images = pd.DataFrame(rows, columns=["item", "tp", "skeleton_true"]).assign(fp=0, fn=0, tn=0)
    found = iou_by_width(images.assign(dataset="x", model="m", photo=images["item"]), ["m"]).set_index("bin")
    assert found["images"].to_dict() == {"< 2": 0, "2–3": 2, "3–4": 1, "4–6": 0, "6–9": 0, "≥ 9": 1}
    assert found.loc["2–3", ["value", "low", "high"]].tolist() == [1, 1, 1]
