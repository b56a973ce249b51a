"""The grouped split keeps photographs together, comes near the shares and balances the cracks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import plugins
from bench.data.index import index
from bench.data.split import grouped_split, split_off

OTHERS = {
    n for n in plugins.names("datasets") for kind in ("FOLDER", "PINNED") if hasattr(plugins.load("datasets", n), kind)
}  # not in the collection


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=6, max_size=60), st.integers(0, 99))
def test_no_group_is_torn_and_every_part_is_filled(photos: list[int], seed: int) -> None:
    groups = [str(photo) for photo in [*photos, 90, 91, 92]]
    split = grouped_split(groups, [0.1] * len(groups), 0.2, 0.2, seed)
    assert set(split) == {"train", "validation", "test"}
    parts = {}
    for group, part in zip(groups, split, strict=True):
        assert parts.setdefault(group, part) == part
    assert split == grouped_split(groups, [0.1] * len(groups), 0.2, 0.2, seed)


def test_the_exact_share_is_met_where_groups_allow() -> None:
    groups = [f"{i // 2}" for i in range(100)]
    assert split_off(groups, [0.1] * 100, 0.2, seed=3).sum() == 20


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="1 source images cannot be split"):
        split_off(["a", "a"], [1, 1], 0.2, 0)


@pytest.mark.parametrize("name", [n for n in plugins.names("datasets") if n not in OTHERS])
def test_the_real_datasets_are_split_near_80_to_20_with_equal_cracks(name: str) -> None:
    known = index(plugins.load("datasets", name).PREFIX)
    tests = split_off(known["photo"].tolist(), known["crack_share_pct"].tolist(), 0.2, seed=0)
    share = known["crack_share_pct"].to_numpy()
    few = known["photo"].nunique() < 10  # five photographs leave little choice
    assert tests.mean() == pytest.approx(0.2, abs=0.05 if few else 0.005)
    assert np.mean(share[tests]) == pytest.approx(np.mean(share), rel=0.5 if few else 0.02)
