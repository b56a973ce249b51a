"""Columns that follow from the histograms are those that counting each image gives, whatever a file holds."""

import numpy as np
import pandas as pd
import pytest

from bench.formats import scores
from bench.metrics.counting import count_image, threshold_counts
from bench.metrics.histogram import histogram
from bench.metrics.ratios import iou
from bench.ranking import derived
from bench.ranking.derived import with_derived


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch):
    """Return images, curves and histograms of two cells of three images each, read four at a time."""
    monkeypatch.setattr(derived, "AT_ONCE", 4)
    rng = np.random.default_rng(3)
    pairs = [(rng.integers(0, 256, (9, 9), dtype=np.uint8), rng.random((9, 9)) < share) for share in 6 * [0.2]]
    pairs[1] = (pairs[1][0], np.zeros((9, 9), bool))
    cells = pd.DataFrame({"dataset": "cfd", "model": ["unet"] * 3 + ["fpn"] * 3, "seed": 0})
    images = pd.concat([cells, pd.DataFrame([count_image(*pair)[0] for pair in pairs])], axis=1)
    curves = pd.concat(
        [pd.DataFrame({"threshold": range(256), "dataset": "cfd", "model": m, "seed": 0}) for m in ("fpn", "unet")]
    )
    return images, curves, np.array([histogram(*pair) for pair in pairs], np.uint32), pairs


def test_images_get_the_columns_of_counting_each_of_them(counted) -> None:
    images, curves, histograms, _ = counted
    wrong = images.assign(best_f1=0.5, best_threshold=0).drop(columns=["best_tp", "aiu_all_images"])
    found, _ = with_derived(wrong, curves, histograms)
    pd.testing.assert_frame_equal(found[scores.DERIVED_IMAGES], images[scores.DERIVED_IMAGES], check_dtype=False)
    assert found.loc[1, ["best_tp", "best_fn", "aiu_all_images"]].tolist() == [0, 0, 0]
    assert np.isnan(found.loc[1, "best_f1"])


def test_the_mean_miou_of_a_cell_is_that_of_its_images(counted) -> None:
    images, curves, histograms, pairs = counted
    _, found = with_derived(images, curves, histograms)
    values = []
    for levels, true in pairs[3:]:
        tp, fp, fn = threshold_counts(levels, true).T.astype(float)
        values.append((np.nan_to_num(iou(tp, fp, fn)) + np.nan_to_num(iou(81 - tp - fp - fn, fp, fn))) / 2)
    of_fpn = found[found["model"] == "fpn"].sort_values("threshold")["miou_mean"]
    assert of_fpn.to_numpy() == pytest.approx(np.mean(values, 0))


def test_without_histograms_they_are_undefined(counted) -> None:
    images, curves, histograms, _ = counted
    found = with_derived(images, curves, np.zeros_like(histograms))
    assert found[0][scores.DERIVED_IMAGES].isna().all(axis=None)
    assert found[1]["miou_mean"].isna().all()
