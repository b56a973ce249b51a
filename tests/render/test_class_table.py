"""The table of scores by class: a row each, intervals where there are any."""

import pandas as pd

from bench.render.class_table import class_table


def test_a_row_for_each_class_with_its_interval() -> None:
    row = {"dataset": "walls", "model": "unet", "iou": 0.5, "iou_low": 0.4, "iou_high": 0.6, "dice": 2 / 3}
    row |= {"dice_low": float("nan"), "dice_high": float("nan")}
    scores = pd.DataFrame([row | {"class": "spalling"}, row | {"class": "mean", "iou": float("nan")}])
    table = class_table(scores, "pooled", {"walls": "Walls", "unet": "UNet"}, ["Walls: crack is spalling."])
    assert table.caption == "Scores by class (pooled)."
    assert table.frame["Class"].tolist() == ["spalling", "mean"]
    assert table.frame.iloc[0].tolist()[:3] == ["Walls", "UNet", "spalling"]
    assert table.frame["IoU, 95 % interval"].tolist() == ["0.400–0.600"] * 2
    assert table.frame["Dice, 95 % interval"].tolist() == ["", ""]
    assert table.notes[-1] == "Walls: crack is spalling."
    assert table.digits == {"IoU": 4, "Dice": 4}
