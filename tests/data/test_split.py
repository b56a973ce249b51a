"""The split: exact shares, every item once, decided by the seed alone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.split import random_split

SHARES = st.floats(0.01, 0.99)


@given(st.integers(2, 500), SHARES, st.floats(0, 0.99), st.integers(0, 2**32))
def test_shares_are_exact_and_no_split_is_empty(count: int, test: float, validation: float, seed: int) -> None:
    split = random_split(count, test, validation, seed)
    found = Counter(split)
    tests = min(max(round(count * test), 1), count - 1)
    assert len(split) == count
    assert set(found) <= {"train", "validation", "test"}
    assert found["test"] == tests
    assert found["validation"] == min(round((count - tests) * validation), count - tests - 1)
    assert found["train"] >= 1


@pytest.mark.parametrize(("count", "tests"), [(118, 24), (3363, 673), (206, 41), (521, 104), (55, 11), (509, 102)])
def test_the_paper_s_shares(count: int, tests: int) -> None:
    assert Counter(random_split(count, 0.2, 0.0, 0)) == {"test": tests, "train": count - tests}


@given(st.integers(2, 300), SHARES, st.floats(0, 0.9), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_split(count: int, test: float, validation: float, seed: int) -> None:
    assert random_split(count, test, validation, seed) == random_split(count, test, validation, seed)


@given(st.integers(20, 200), st.floats(0.1, 0.5), st.floats(0, 0.5), st.integers(0, 1000))
def test_the_test_items_do_not_depend_on_the_validation_share(
    count: int, test: float, validation: float, seed: int
) -> None:
    with_, without = (random_split(count, test, v, seed) for v in (validation, 0.0))
    assert [name == "test" for name in with_] == [name == "test" for name in without]


def test_another_seed_gives_another_split() -> None:
    splits = {tuple(random_split(50, 0.2, 0.1, seed)) for seed in range(20)}
    assert len(splits) == 20


def test_every_item_has_its_chance() -> None:
    tested = Counter(i for seed in range(300) for i, s in enumerate(random_split(10, 0.2, 0.0, seed)) if s == "test")
    assert all(30 < tested[i] < 95 for i in range(10))  # 60 expected, standard deviation 7


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_items_cannot_be_split(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} items cannot be split: at least 2"):
        random_split(count, 0.2, 0.0, 0)
