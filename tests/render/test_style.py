"""Colours, markers and lines of models: distinct, stable, and given to every name."""

import pytest

from bench.render import style


def test_each_model_has_a_colour_a_marker_a_hatch_and_a_dash_of_its_own() -> None:
    assert len(set(style.COLOURS.values())) == len(style.COLOURS) == 10
    assert len(set(style.MARKERS.values())) == 10
    assert style.MARKERS.keys() == style.HATCHES.keys() == style.DASHES.keys() == style.COLOURS.keys()


@pytest.mark.parametrize("name", ["my_net", "context_cracknet_skip", "x"])
def test_another_model_has_a_spare_colour_that_depends_on_its_name_alone(name: str) -> None:
    assert style.colour(name) in style.SPARE
    assert style.colour(name) == style.colour(name)
    assert style.line(name)["color"] == style.marker(name)["color"] == style.colour(name)


def test_spare_colours_are_none_of_the_ten() -> None:
    assert not set(style.SPARE) & set(style.COLOURS.values())
