"""The gap of two pooled scores: its parts by image sum to it, and Student's interval says whether seeds explain it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from bench import plugins
from bench.ranking.gap import RATIOS, gap, images_for, seed_spread


def rows(counts, names=None):
    """Return rows of images.csv from counts[seed][image] = (tp, fp, fn)."""
    return pd.DataFrame(
        [
            {"seed": seed, "item": (names or "abcdefgh")[i], "tp": tp, "fp": fp, "fn": fn}
            for seed, images in enumerate(counts)
            for i, (tp, fp, fn) in enumerate(images)
        ]
    )


def test_one_changed_image_is_the_whole_gap() -> None:
    found = gap(rows([[(6, 2, 2), (5, 0, 5)]]), rows([[(6, 2, 2), (2, 0, 8)]]))
    assert found.value == pytest.approx(11 / 20 - 8 / 20)
    assert found.images["item"].tolist() == ["b", "a"]
    assert found.images["part"].tolist() == pytest.approx([3 / 20, 0])
    assert found.images.loc[0, ["tp_a", "tp_b"]].tolist() == [5, 2]


def test_images_of_one_side_only_are_part_of_the_gap() -> None:
    found = gap(rows([[(1, 0, 1)]], "a"), rows([[(1, 0, 3)]], "b"))
    assert found.value == pytest.approx(1 / 2 - 1 / 4)
    assert found.images["part"].sum() == pytest.approx(found.value)
    assert found.images.set_index("item").loc["a", ["tp_b", "fp_b", "fn_b"]].isna().all()


counts = st.lists(st.tuples(*[st.integers(1, 50)] * 3), min_size=3, max_size=3)


@given(st.lists(counts, min_size=1, max_size=3), st.lists(counts, min_size=1, max_size=3), st.sampled_from([*RATIOS]))
def test_the_parts_sum_to_the_gap_of_the_metric_itself(a, b, metric) -> None:
    found = gap(rows(a), rows(b), metric)
    compute = plugins.load("metrics", metric).compute
    columns = plugins.load("metrics", metric).INPUT.columns
    means = []
    for side in (a, b):
        sums = [dict(zip(("tp", "fp", "fn", "tn"), (*np.sum(seed, axis=0), 0), strict=True)) for seed in side]
        means.append(np.mean([compute(*(np.float64(s[c]) for c in columns)) for s in sums]))
    assert found.value == pytest.approx(means[0] - means[1], abs=1e-12)
    assert found.images["part"].sum() == pytest.approx(found.value, abs=1e-9)


def test_the_metrics_of_the_gap_have_images_as_their_input() -> None:
    assert all(plugins.load("metrics", name).INPUT.over == "images" for name in RATIOS)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=5, unique=True),
    st.lists(st.floats(0, 1), min_size=2, max_size=5, unique=True),
)
def test_the_spread_is_the_half_width_of_the_two_sample_t_interval(a, b) -> None:
    if np.ptp(a) < 1e-3:
        return
    interval = ttest_ind(a, b).confidence_interval(0.95)
    assert seed_spread(a, b) == pytest.approx((interval.high - interval.low) / 2)


def test_equal_images_make_up_no_gap() -> None:
    same = rows([[(3, 1, 2), (7, 1, 1)], [(4, 1, 1), (6, 2, 2)]])
    found = gap(same, same)
    assert found.value == 0
    assert found.images["part"].tolist() == [0, 0]
    assert images_for(found.images["part"].to_numpy()) == 0


@pytest.mark.parametrize(("parts", "count"), [([0.1, 0.1], 2), ([-0.9, -0.1], 1), ([0.5, -0.1], 1), ([0.0], 0)])
def test_the_images_that_make_up_most_of_the_gap(parts, count) -> None:
    assert images_for(parts) == count
