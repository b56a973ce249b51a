"""Precision-recall and training curves: what is drawn is what was counted."""

import numpy as np
import pandas as pd
import pytest

from bench.render.curve_figures import frames_by_cell, precision_recall, ratios, training
from bench.render.style import looks

NAMES = {"cfd": "CFD", "gaps": "GAPs", "unet": "UNet"}


def test_ratios_by_hand() -> None:
    precision, recall = ratios(pd.DataFrame({"tp": [3, 0, 0], "fp": [1, 0, 2], "fn": [3, 0, 0]}))
    assert precision == pytest.approx([0.75, np.nan, 0], nan_ok=True)
    assert recall == pytest.approx([0.5, np.nan, np.nan], nan_ok=True)


def test_frames_are_split_by_dataset_and_model() -> None:
    frame = pd.DataFrame({"d": ["a", "a", "b"], "m": ["x", "x", "x"], "t": [0, 1, 0], "v": [1, 2, 3]})
    parts = frames_by_cell(frame.set_index(["d", "m", "t"]))
    assert {key: part["v"].tolist() for key, part in parts.items()} == {("a", "x"): [1, 2], ("b", "x"): [3]}
    assert parts[("a", "x")].index.tolist() == [0, 1]


def test_precision_and_recall_are_pooled_over_seeds() -> None:
    level = np.arange(256)
    one = pd.DataFrame({"threshold": level, "tp": 255 - level, "fp": 255 - level, "fn": level})
    two = one.assign(fp=3 * (255 - level))
    frame = pd.concat([part.assign(dataset="cfd", model="unet", seed=seed) for seed, part in enumerate((one, two))])
    axis = precision_recall(frame, NAMES, ["cfd"], ["unet"], looks(["unet"])).axes[0]
    line = next(line for line in axis.lines if len(line.get_xdata()) == 256)
    assert np.asarray(line.get_ydata())[:255] == pytest.approx(1 / 3)  # 2 tp of 2 tp + 4 fp
    assert np.asarray(line.get_xdata())[128] == pytest.approx(127 / 255)
    assert axis.get_title() == "CFD"


def test_a_binary_mask_is_a_point_without_a_curve() -> None:
    level = np.arange(256)
    counts = pd.DataFrame({"threshold": level, "tp": 3, "fp": np.where(level, 1, 9), "fn": np.where(level, 3, 0)})
    figure = precision_recall(
        counts.assign(dataset="cfd", model="unet", seed=0), NAMES, ["cfd"], ["unet"], looks(["unet"])
    )
    shown = [line for line in figure.axes[0].lines if line.get_label() == "UNet"]
    assert [(line.get_xdata(), line.get_ydata(), line.get_linestyle()) for line in shown] == [([0.5], [0.75], "None")]


def test_training_has_two_lines_for_each_model_that_ran() -> None:
    epochs = pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.5], "val_loss": [1.1, 0.7]})
    frame = pd.concat([epochs.assign(dataset="cfd", model="unet", seed=s) for s in (0, 1)])
    figure = training(frame, NAMES, ["cfd", "gaps"], ["unet"], looks(["unet"]))
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [[1.1, 0.7], [1.0, 0.5]]
    assert not figure.axes[1].lines
