"""A model card: what the run records is on it, what it does not record is a question mark."""

import pandas as pd
import pytest

from bench.render.model_card import model_card

NAMES = {"cfd": "CFD", "unet": "UNet"}
CELL = {"dataset": "cfd", "model": "unet", "seed": 3, "data": "abc", "protocol": "0123"}
DATA = {"counts": {"train": 94, "test": 24}, "origin": {"source": "collection", "licence": "CC BY"}}
SCORES = pd.DataFrame({"metric": ["Dice"], "Pooled": [0.51239], "Mean of images": [float("nan")]})


def card(**changes: object) -> str:
    return model_card(CELL | changes, NAMES, SCORES, DATA, "")


def test_scores_have_four_digits_and_an_undefined_one_is_empty() -> None:
    assert "| Dice | 0.5124 |  |" in card()
    assert "| metric | Pooled | Mean of images |" in card()


def test_scores_of_each_class_and_which_are_crack() -> None:
    classes = pd.DataFrame({"class": ["wall", "mean"], "iou": [0.75, float("nan")], "dice": [0.85714, 0.5]})
    text = model_card(CELL, NAMES, SCORES, DATA, "", classes, ["CFD: crack is spalling."])
    assert "CFD: crack is spalling." in text
    assert "| class | IoU | Dice |" in text
    assert "| wall | 0.7500 | 0.8571 |" in text
    assert "| mean |  | 0.5000 |" in text
    assert "class" not in card()


def test_what_is_not_recorded_is_a_question_mark() -> None:
    assert "? s of training" in card()
    assert "3.5 s of training" in card(seconds=3.5)
    assert "# UNet on CFD, seed 3" in card()
    assert "94 training, 0 validation, 24 test" in card()
    assert "CC BY" in card()


def test_uncommitted_changes_are_told() -> None:
    assert "uncommitted" in card(code={"commit": "c0ffee", "dirty": True})
    assert "uncommitted" not in card(code={"commit": "c0ffee", "dirty": False})


@pytest.mark.parametrize("split", ["test", "validation"])
def test_choosing_on_the_test_split_is_a_limit(split: str) -> None:
    assert ("optimistic" in card(settings={"train": {"select_on": split}})) == (split == "test")


def test_a_warning_stands_below_the_title() -> None:
    assert model_card(CELL, NAMES, SCORES, DATA, "SAMPLE").splitlines()[2] == "**SAMPLE**"
