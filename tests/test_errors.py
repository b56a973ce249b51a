"""Messages meant for the user: names are listed and shortened, a likely one is suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import Interrupted, UserError, instead_of, shorten


def test_the_first_names_and_the_number_of_the_rest() -> None:
    assert shorten(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert shorten(list("abcdefg"), most=1) == "a and 6 more"
    assert shorten([]) == ""


@given(st.lists(st.text("abc", min_size=1), max_size=12), st.integers(1, 12))
def test_nothing_is_cut_where_all_names_fit(names: list[str], most: int) -> None:
    assert (shorten(names, most) == ", ".join(names)) == (len(names) <= most)


def test_a_close_name_is_suggested_and_all_are_listed() -> None:
    message = instead_of("deeplabv3pluss", ["unet", "deeplabv3plus"], "models")
    assert "'deeplabv3plus'?" in message
    assert "models: unet, deeplabv3plus." in message
    assert "?" not in instead_of("zzz", ["unet"])


def test_an_interruption_is_no_ordinary_exception() -> None:
    assert not issubclass(Interrupted, Exception)  # `except Exception` must not swallow it
    assert issubclass(UserError, Exception)
    with pytest.raises(Interrupted, match="stopped") as caught:
        raise Interrupted("stopped", 15)
    assert caught.value.number == 15
