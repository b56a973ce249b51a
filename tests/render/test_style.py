"""Colours, markers and lines of models: distinct for any number of models, and the same in every report."""

from bench.render import style
from bench.render.style import looks


def test_no_two_of_forty_models_share_a_colour_a_marker_or_a_dash() -> None:
    models = [*style.COLOURS, *(f"my_net_{i}" for i in range(28))]
    for kind in ("colour", "mark", "dash"):
        assert len({getattr(look, kind) for look in looks(models).values()}) == 40


def test_a_model_of_the_suite_looks_the_same_whatever_else_is_shown() -> None:
    assert looks(["my_net", "unet"])["unet"] == looks(["unet"])["unet"]


def test_a_highlighted_model_is_a_star_with_a_heavy_line() -> None:
    found = looks(["unet", "fpn"], ("fpn",))
    assert found["fpn"].marker["marker"] == style.HIGHLIGHT
    assert "linewidth" in found["fpn"].line
    assert "linewidth" not in found["unet"].line
