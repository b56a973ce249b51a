"""Letters say exactly which models differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats.letters import letters


@given(st.integers(1, 7).flatmap(lambda k: st.lists(st.booleans(), min_size=k * k, max_size=k * k)))
def test_two_models_share_a_letter_exactly_if_they_do_not_differ(cells: list[bool]) -> None:
    size = int(len(cells) ** 0.5)
    upper = np.triu(np.array(cells).reshape(size, size), 1)
    differ = upper | upper.T
    given_letters = letters(differ)
    for i in range(size):
        for j in range(size):
            assert bool(set(given_letters[i]) & set(given_letters[j])) == (not differ[i, j])


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], ["a", "a", "a", "a"]),
        ([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], ["a", "b", "c", "d"]),
        ([(0, 3)], ["a", "ab", "ab", "b"]),
        ([(0, 2), (0, 3), (1, 3)], ["a", "ab", "bc", "c"]),
    ],
)
def test_letters_of_four_models(pairs: list[tuple[int, int]], expected: list[str]) -> None:
    differ = np.zeros((4, 4), bool)
    for i, j in pairs:
        differ[i, j] = differ[j, i] = True
    assert letters(differ) == expected


def test_no_models_have_no_letters() -> None:
    assert letters(np.zeros((0, 0), bool)) == []
