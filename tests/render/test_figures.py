"""Figure 6: a bar for every model on every dataset, as high as its value."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from bench.render.figures import HATCHES, PALETTE, figure_6

DATASETS, MODELS = ["cfd", "volker", "gaps"], ["unet", "pan"]
NAMES = {"cfd": "CFD", "volker": "Volker", "gaps": "GAPs", "unet": "UNet", "pan": "PAN"}


@pytest.fixture
def summary() -> pd.DataFrame:
    rows = [
        (dataset, model, seed, metric, average, i / 40)
        for i, (dataset, model, metric) in enumerate(product(DATASETS, MODELS, ["crack_iou", "dice", "recall", "f1"]))
        for seed in (0, 1)
        for average in ("pooled",)
        if (dataset, model) != ("gaps", "pan")
    ]
    rows += [("cfd", "unet", 0, "dice", "image_mean", 0.99)]
    return pd.DataFrame(rows, columns=["dataset", "model", "seed", "metric", "average", "value"])


def test_bars_are_as_high_as_the_values(summary: pd.DataFrame) -> None:
    figure = figure_6(summary, "pooled", NAMES, DATASETS, MODELS)
    means = summary[summary["average"] == "pooled"].groupby(["metric", "dataset", "model"])["value"].mean()
    assert [axis.get_ylabel() for axis in figure.axes] == ["Crack IoU", "Dice", "Recall"]
    for axis, metric in zip(figure.axes, ["crack_iou", "dice", "recall"], strict=True):
        assert len(axis.patches) == 6
        for model, bars in zip(MODELS, axis.containers, strict=True):
            for dataset, bar in zip(DATASETS, bars, strict=True):
                expected = means.get((metric, dataset, model), np.nan)
                assert bar.get_height() == pytest.approx(expected, nan_ok=True)


def test_bars_stand_beside_each_other_over_their_dataset(summary: pd.DataFrame) -> None:
    axis = figure_6(summary, "pooled", NAMES, DATASETS, MODELS).axes[-1]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["CFD", "Volker", "GAPs"]
    for place in range(3):
        left, right = (container[place] for container in axis.containers)
        assert left.get_x() + left.get_width() == pytest.approx(right.get_x())
        assert (left.get_x() + right.get_x() + right.get_width()) / 2 == pytest.approx(place)
    assert axis.get_ylim() == (0, 1)


def test_the_legend_names_every_model(summary: pd.DataFrame) -> None:
    figure = figure_6(summary, "pooled", NAMES, DATASETS, MODELS)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["UNet", "PAN"]


def test_one_dataset_and_one_model_suffice(summary: pd.DataFrame) -> None:
    figure = figure_6(summary, "pooled", NAMES, ["cfd"], ["unet"])
    assert len(figure.axes[0].patches) == 1


def test_ten_colours_stay_apart() -> None:
    assert len({to_hex(colour) for colour in PALETTE}) == len(PALETTE) == len(HATCHES) == 10
