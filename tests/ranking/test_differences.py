"""What differs between two scores: each change of a record, under its kind, in the order of the pipeline."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.ranking.differences import Side, differences
from bench.ranking.sides import read_sides

KINDS = ["dataset", "model", "data", "split", "preparation", "settings", "seeds", "evaluation", "library", "hardware"]
KINDS += ["program"]


@pytest.fixture
def side(workspace: Callable[..., Path]) -> Side:
    (only,) = read_sides(str(workspace(["cfd"], {"unet": 0.7}) / "results"))
    return only


def changed(side: Side, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Side:
    """Return the side with its record and card changed."""
    cells, card = copy.deepcopy(side.scores.cells), copy.deepcopy(side.scores.card)
    change(cells[0], card)
    return Side("other", replace(side.scores, cells=cells, card=card))


def test_a_side_does_not_differ_from_itself(side: Side) -> None:
    assert differences(side, side) == []


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("data", "source", lambda cell, card: card["origin"].update(source="originals")),
        ("data", "prepared pixels", lambda cell, card: cell.update(data="other")),
        ("split", "items, train", lambda cell, card: card["counts"].update(train=3)),
        ("preparation", "mask_threshold", lambda cell, card: cell["settings"]["prepare"].update(mask_threshold=1)),
        ("settings", "lr", lambda cell, card: cell["settings"]["train"].update(lr=0.5)),
        ("settings", "loss.dice", lambda cell, card: cell["settings"]["train"]["loss"].update(dice=3)),
        ("settings", "trained", lambda cell, card: cell.update(trained="external")),
        ("seeds", "seeds", lambda cell, card: cell.update(seed=5)),
        ("library", "python", lambda cell, card: cell["versions"].update(python="3.13")),
        ("hardware", "gpu", lambda cell, card: cell["hardware"].update(gpu="a GPU")),
        ("program", "program", lambda cell, card: cell.update(program="edited")),
        ("program", "commit", lambda cell, card: cell["code"].update(commit="abcdef")),
    ],
)
def test_one_change_is_the_one_difference(side: Side, kind: str, name: str, change: Any) -> None:
    (found,) = differences(side, changed(side, change))
    assert (found.kind, found.name) == (kind, name)
    assert found.a != found.b


def test_settings_that_were_added_later_have_the_value_of_before(side: Side) -> None:
    def drop(cell: dict[str, Any], card: dict[str, Any]) -> None:
        train = cell["settings"]["train"]
        assert train.pop("schedule") == "plateau"
        assert train["loss"].pop("dice_over") == "image"
        train["epochs"] = float(train["epochs"])

    assert differences(side, changed(side, drop)) == []


def test_equal_source_files_in_another_archive_are_no_difference(side: Side) -> None:
    def origin(sha256: str, content: str) -> Side:
        return changed(side, lambda cell, card: card["origin"].update(sha256=sha256, content=content))

    assert differences(origin("small zip", "same"), origin("large zip", "same")) == []
    (found,) = differences(origin("a", "one"), origin("b", "two"))
    assert (found.kind, found.name, found.b) == ("data", "source files", "collection two")


def test_other_test_images_are_a_difference_of_the_split(side: Side) -> None:
    images = side.scores.images
    fewer = Side("b", replace(side.scores, images=images[images["item"] != images["item"].iloc[0]]))
    (found,) = differences(side, fewer)
    assert (found.kind, found.a, found.b) == ("split", "6, 5 of them shared", "5, 5 of them shared")


def test_the_order_is_that_of_the_pipeline(side: Side) -> None:
    def everything(cell: dict[str, Any], card: dict[str, Any]) -> None:
        card["dataset"], card["origin"]["source"], card["counts"]["train"] = "gaps", "originals", 9
        cell.update(model="fpn", seed=3, program="edited", data="other", evaluation_batch=1)
        cell["settings"]["prepare"]["mask_threshold"] = 1
        cell["settings"]["train"]["lr"] = 1
        cell["versions"]["python"], cell["hardware"]["processor"] = "2", "abacus"

    before = changed(side, lambda cell, card: cell.update(evaluation_batch=2))
    kinds = [found.kind for found in differences(before, changed(before, everything))]
    assert list(dict.fromkeys(kinds)) == KINDS
    assert "prepared pixels" not in kinds  # it follows from what differs before
