"""Scores by class: numbers worked out by hand under every average, names, notes, intervals."""

import numpy as np
import pandas as pd
import pytest

from bench.ranking.class_scores import class_names, class_scores, crack_notes, of_cell
from bench.ranking.results import Results

NAMES = {"walls": "Walls", "cfd": "CFD", "unet": "UNet", "pan": "PAN"}
CARDS = {
    "walls": {"classes": 3, "class_names": ["wall", "crack", "spalling"], "origin": {"source": "own"}},
    "cfd": {"classes": 1, "origin": {"source": "own"}},
}

# tp, fp, fn of wall, crack, spalling in two images, each an evaluation batch of its own
FIRST = [(6, 1, 1), (1, 1, 1), (0, 0, 0)]
SECOND = [(5, 0, 2), (1, 2, 0), (3, 1, 1)]


def counts(images: list[list[tuple[int, int, int]]], model: str = "unet", seed: int = 0) -> pd.DataFrame:
    cell = {"dataset": "walls", "model": model, "seed": seed}
    rows = [
        cell
        | {"item": f"i{n}", "photo": f"p{n}", "batch": n, "class": k}
        | dict(zip(("tp", "fp", "fn"), of, strict=True))
        for n, image in enumerate(images)
        for k, of in enumerate(image)
    ]
    return pd.DataFrame(rows)


def results(classes: pd.DataFrame) -> Results:
    empty = pd.DataFrame()
    return Results(
        ["cfd", "walls"], ["unet", "pan"], NAMES, empty, empty, empty, np.zeros((0, 2, 256), np.uint32), empty,
        [], CARDS, {}, [], {}, classes=classes,
    )  # fmt: skip


def test_names_are_those_of_the_card_or_numbers() -> None:
    assert class_names(CARDS["walls"]) == ["wall", "crack", "spalling"]
    assert class_names({"classes": 4}) == ["background", "class 1", "class 2", "class 3"]


def test_a_note_says_which_classes_are_crack_where_there_are_several() -> None:
    found = results(counts([FIRST, SECOND]))
    assert crack_notes(found, ["cfd", "walls"]) == [
        "Walls has several classes: crack is crack or spalling, taken as one, against wall."
    ]
    assert crack_notes(found, ["cfd"]) == []


IOU = {
    # sums: (11, 1, 3), (2, 3, 1), (3, 1, 1)
    "pooled": [11 / 15, 2 / 6, 3 / 5],
    # spalling is in the second image only
    "image_mean": [(6 / 8 + 5 / 7) / 2, (1 / 3 + 1 / 3) / 2, 3 / 5],
    "batch_mean": [(6 / 8 + 5 / 7) / 2, (1 / 3 + 1 / 3) / 2, 3 / 5],
}
MEAN = {
    "pooled": (11 / 15 + 2 / 6 + 3 / 5) / 3,
    "image_mean": ((6 / 8 + 1 / 3) / 2 + (5 / 7 + 1 / 3 + 3 / 5) / 3) / 2,
    "batch_mean": ((6 / 8 + 1 / 3) / 2 + (5 / 7 + 1 / 3 + 3 / 5) / 3) / 2,
}


@pytest.mark.parametrize("average", IOU)
def test_values_under_every_average(average: str) -> None:
    table = class_scores(results(counts([FIRST, SECOND])), average)
    assert table["class"].tolist() == ["wall", "crack", "spalling", "mean"]
    assert table["iou"].tolist() == pytest.approx([*IOU[average], MEAN[average]])
    if average == "pooled":
        dice = [22 / 26, 4 / 8, 6 / 8]
        assert table["dice"].tolist() == pytest.approx([*dice, sum(dice) / 3])
    known = table[table["class"] != "spalling"]  # which the resamples of the first image alone lack
    assert (known["iou_low"] <= known["iou"] + 1e-12).all()
    assert (known["iou"] <= known["iou_high"] + 1e-12).all()
    assert known["iou_high"].notna().all()


def test_a_class_that_never_occurs_is_left_out_of_the_mean() -> None:
    table = class_scores(results(counts([FIRST, FIRST])), "pooled").set_index("class")
    assert np.isnan(table.loc["spalling", "iou"])
    assert table.loc["mean", "iou"] == pytest.approx((6 / 8 + 1 / 3) / 2)


def test_seeds_are_averaged_and_models_stand_in_the_order_of_the_results() -> None:
    both = pd.concat([counts([FIRST, FIRST], "pan"), counts([FIRST, FIRST]), counts([SECOND, SECOND], seed=1)])
    table = class_scores(results(both), "pooled")
    assert table["model"].tolist() == ["unet"] * 4 + ["pan"] * 4
    assert table["iou"][0] == pytest.approx((6 / 8 + 5 / 7) / 2)
    assert np.isnan(table["iou"][2])  # spalling is undefined for the first seed: no mean over one of two


def test_a_single_source_image_has_no_interval() -> None:
    table = class_scores(results(counts([FIRST, SECOND]).assign(photo="p")), "pooled")
    assert table[["iou_low", "iou_high", "dice_low", "dice_high"]].isna().to_numpy().all()


def test_one_run_is_pooled() -> None:
    found = results(pd.concat([counts([FIRST, SECOND]), counts([FIRST, FIRST], seed=1)]))
    table = of_cell(found, {"dataset": "walls", "model": "unet", "seed": 0})
    assert table["class"].tolist() == ["wall", "crack", "spalling", "mean"]
    assert table["iou"].tolist() == pytest.approx([*IOU["pooled"], MEAN["pooled"]])
    assert of_cell(found, {"dataset": "walls", "model": "pan", "seed": 0}).empty
