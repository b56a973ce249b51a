"""Two-level headings."""

from hypothesis import given
from hypothesis import strategies as st

from bench.render.headings import split_headings


def test_neighbours_that_share_a_start_are_grouped() -> None:
    headings = ["Model", "Dice, published", "Dice, here", "Recall, here"]
    assert split_headings(headings) == [("", ["Model"]), ("Dice", ["published", "here"]), ("", ["Recall, here"])]


def test_only_neighbours_are_grouped_and_the_last_comma_counts() -> None:
    assert split_headings(["A, x", "B, x", "A, y"]) == [("", ["A, x"]), ("", ["B, x"]), ("", ["A, y"])]
    assert split_headings(["A, b, x", "A, b, y"]) == [("A, b", ["x", "y"])]
    assert split_headings([]) == []


@given(st.lists(st.sampled_from(["A", "A, x", "A, y", "B, x", "B, c, x"]), max_size=8))
def test_no_heading_is_lost_and_the_order_stays(headings: list[str]) -> None:
    groups = split_headings(headings)
    assert [f"{shared}, {rest}" if shared else rest for shared, rests in groups for rest in rests] == headings
    assert all(len(rests) > 1 for shared, rests in groups if shared)
