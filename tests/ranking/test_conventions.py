"""Each convention against the code that it is named after, or by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import segmentation_models_pytorch.metrics as smp
import torch

from bench.formats.scores import LATER
from bench.ranking.conventions import CONVENTIONS, by_convention
from bench.ranking.results import Results, read

IMAGES = pd.DataFrame(
    {
        "item": ["d", "a", "b", "c", "e"], "tp": [0, 30, 0, 10, 0], "fp": [0, 10, 0, 0, 5], "fn": [8, 10, 0, 10, 0],
        "tn": [92, 50, 100, 80, 95], "best_f1": [0.1, 0.8, np.nan, 0.7, np.nan],
        "tp_256px": [0, 6, 0, 3, 0], "fp_256px": [0, 2, 0, 0, 1], "fn_256px": [2, 2, 0, 3, 0],
    }
)  # fmt: skip
"""Crack missed; found in part; none and none predicted; found in part; none but predicted."""


def value(convention: str) -> float:
    of_images = CONVENTIONS[convention].of_images
    assert of_images is not None
    return of_images(IMAGES)


def test_images_without_crack_count_as_in_each_script() -> None:
    counts = [torch.tensor(IMAGES[[name]].to_numpy()) for name in ("tp", "fp", "fn", "tn")]
    assert value("iou_images") == pytest.approx(float(smp.iou_score(*counts, reduction="micro-imagewise")))
    assert value("iou_images") == pytest.approx((0 + 30 / 50 + 1 + 10 / 20 + 0) / 5)
    assert value("dice_images") == pytest.approx((0 + 60 / 80 + 20 / 30) / 3)
    assert value("ois_images_zero") == pytest.approx((0.1 + 0.8 + 0.7) / 5)
    assert value("ods_images_zero") == pytest.approx(3 / 5)  # of the mean over the three images with crack


def test_batches_without_a_hit_are_left_out() -> None:
    assert value("f1_batch_4") == pytest.approx(80 / (80 + 10 + 28))  # a to d; e alone has no hit
    assert value("f1_batch_32") == pytest.approx(80 / (80 + 15 + 28))
    never = CONVENTIONS["f1_batch_4"].of_images
    assert never is not None
    assert np.isnan(never(IMAGES.assign(tp=0)))


def test_masks_at_256_px_by_hand() -> None:
    assert value("iou_256px") == pytest.approx(9 / (9 + 3 + 7))
    assert value("f1_256px") == pytest.approx(18 / (18 + 3 + 7))


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    folder = workspace(["cfd", "gaps"], {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"
    return read(folder, ["cfd", "gaps"], ["fpn", "unet"], [0, 1])


def test_every_convention_has_a_value_which_is_the_mean_over_seeds(results: Results) -> None:
    scores = by_convention(results).set_index(["dataset", "model"])
    assert list(scores.columns) == list(CONVENTIONS)
    assert len(scores) == 4
    assert scores.notna().all(axis=None)
    of_cell = results.summary[(results.summary["metric"] == "ods") & (results.summary["average"] == "pooled")]
    assert scores.loc[("gaps", "unet"), "ods"] == pytest.approx(
        of_cell[(of_cell["model"] == "unet") & (of_cell["dataset"] == "gaps")]["value"].mean()
    )


def test_what_older_files_do_not_record_is_undefined(results: Results) -> None:
    from dataclasses import replace

    old = results.images.assign(**dict.fromkeys(LATER, np.nan))
    lost = {f"{m}{end}" for m in ("f1_matched", "centreline_iou_4px") for end in ("", "_thin")}
    older = replace(results, images=old, summary=results.summary[~results.summary["metric"].isin(lost)])
    scores = by_convention(older)
    assert set(scores.columns[scores.isna().any()]) == {"iou_256px", "f1_256px", "f1_thin", "iou_thin"}


def test_a_factor_of_the_images_multiplies_the_metric(results: Results) -> None:
    images = results.images.copy()
    rows = (images["dataset"] == "cfd") & (images["model"] == "unet")
    images.loc[rows & (images["item"] == images.loc[rows, "item"].iloc[0]), ["tp", "fn"]] = 0
    found = by_convention(replace(results, images=images)).set_index(["dataset", "model"])["ods_images_zero"]
    table = results.summary[results.summary["metric"] == "ods_image_mean"]
    means = table.groupby(["dataset", "model"])["value"].mean()
    count = images.loc[rows, "item"].nunique()
    assert found["cfd", "unet"] == pytest.approx(means["cfd", "unet"] * (count - 1) / count)
    assert found["gaps", "fpn"] == pytest.approx(means["gaps", "fpn"])
