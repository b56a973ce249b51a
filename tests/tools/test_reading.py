"""Labels of annotations stand for values of the masks that are drawn from them."""

from pathlib import Path
from typing import Any

import pytest

from bench.data.convention import Census
from bench.errors import UserError
from bench.tools.reading import Reading, Values, in_values

MASKS = [Census(Path("a.png"), {0: 90, 1: 6, 2: 4}, "grey", False)]
LABELS = ["crack", "spalling"]


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(crack=("crack",)), Values((1,), None, ())),
        (Reading(crack=("crack",), ignore=("spalling",)), Values((1,), None, (2,))),
        (
            Reading(classes=(("crack", "crack"), ("spalling", "damage"))),
            Values((), ((1, "crack"), (2, "damage")), ()),
        ),
    ],
)
def test_labels_are_replaced_by_their_values(reading: Reading, expected: Values) -> None:
    assert in_values(MASKS, reading, LABELS) == expected


def test_the_label_that_is_left_beside_ignored_ones_is_crack() -> None:
    assert in_values(MASKS, Reading(ignore=("spalling",)), LABELS) == Values((), None, (2,))


def test_values_of_masks_stay_as_they_are() -> None:
    assert in_values(MASKS, Reading(crack=("1", "2"), ignore=("9",)), []) == Values((1, 2), None, (9,))
    assert in_values(MASKS, Reading(crack=("7",)), ["7"]) == Values((1,), None, ())  # a label may be a number
    assert in_values(MASKS, Reading(crack=("300/01",), ignore=("01",)), ["01", "1", "300/01"]).crack == (3,)
    assert in_values(MASKS, Reading(), ["crack"]) == Values((), None, ())


@pytest.mark.parametrize(
    ("said", "labels", "message"),
    [
        ({}, LABELS, r"2 labels: crack \(6\.00 %\), spalling \(4\.00 %\)\. .*--classes crack=crack,spalling=spalling"),
        ({"classes": 3}, LABELS, "2 labels: crack"),
        ({"crack": ("rust",)}, LABELS, "--crack rust: no annotation has this label. There are: crack, spalling"),
        ({"crack": ("crack",)}, [], "--crack crack: give values of the masks from 0 to 255"),
        ({"crack": ("256",)}, [], "--crack 256: give values of the masks from 0 to 255"),
        ({"ignore": ("-1",)}, [], "--ignore -1: give values of the masks from 0 to 255"),
    ],
)
def test_what_does_not_fit_is_refused(said: dict[str, Any], labels: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        in_values(MASKS, Reading(**said), labels)
