"""The bootstrap against a loop that draws photographs one by one."""

import numpy as np
import pytest

from bench.stats.bootstrap import interval, resample
from tests.fixtures import averaging

REFERENCE = vars(averaging)
average = REFERENCE["average"]


def iou(tp, fp, fn):
    total = tp + fp + fn
    return np.divide(tp, total, out=np.full(np.shape(total), np.nan), where=np.asarray(total) > 0)


def grid(models=3, seeds=2, images=40, photographs=9):
    rng = np.random.default_rng(0)
    quality = rng.uniform(0.3, 0.9, photographs)  # crops of one photograph are alike
    photos = rng.integers(0, photographs, images)
    crack = rng.integers(5, 200, images)
    tp = rng.binomial(crack, quality[photos], (models, seeds, images))
    counts = np.stack([tp, rng.poisson(20, tp.shape), crack - tp], -1).astype(float)
    counts[:, :, 0] = 0  # an image without crack or prediction
    return counts, photos, np.arange(images) // 8


@pytest.mark.parametrize("how", ["pooled", "image_mean", "batch_mean"])
def test_agrees_with_the_loop_over_photographs(how):
    counts, photos, batches = grid(models=1, seeds=1)
    found = resample(iou, counts, photos, batches, how, 4000, np.random.default_rng(1))[:, 0]
    rng = np.random.default_rng(2)
    names = np.unique(photos)
    loop = []
    for _ in range(4000):
        rows = np.concatenate([np.flatnonzero(photos == p) for p in rng.choice(names, len(names))])
        loop.append(average(iou, counts[0, 0, rows], batches[rows], how))
    expected = np.array(loop)
    assert found.mean() == pytest.approx(expected.mean(), abs=0.01)
    assert found.std() == pytest.approx(expected.std(), rel=0.1)


@pytest.mark.parametrize("how", ["pooled", "image_mean", "batch_mean"])
def test_one_photograph_gives_the_number_itself(how):
    counts, photos, batches = grid(seeds=1)
    found = resample(iou, counts, np.zeros_like(photos), batches, how, 5, np.random.default_rng(0))
    for model in range(3):
        assert found[:, model] == pytest.approx(average(iou, counts[model, 0], batches, how))


def test_models_share_the_photographs_so_that_equal_models_differ_by_nothing():
    counts, photos, batches = grid(seeds=1)
    counts[1] = counts[0]
    found = resample(iou, counts, photos, batches, "pooled", 100, np.random.default_rng(0))
    assert (found[:, 0] == found[:, 1]).all()
    assert (found[:, 0] != found[:, 2]).any()


def test_seeds_widen_the_interval():
    counts, photos, batches = grid(models=1)
    counts[0, 1, :, 0] *= 3  # the two seeds are far apart
    draws = resample(iou, counts, photos, batches, "pooled", 2000, np.random.default_rng(0))
    one = resample(iou, counts[:, :1], photos, batches, "pooled", 2000, np.random.default_rng(0))
    assert np.ptp(interval(draws)) > np.ptp(interval(one))


def test_a_missing_cell_is_undefined_and_spoils_no_other():
    counts, photos, batches = grid(seeds=1)
    counts[1] = np.nan
    for how in ("pooled", "image_mean", "batch_mean"):
        found = resample(iou, counts, photos, batches, how, 10, np.random.default_rng(0))
        assert np.isnan(found[:, 1]).all()
        assert np.isfinite(found[:, [0, 2]]).all()


def test_the_same_seed_gives_the_same_draws():
    first, second = (resample(iou, *grid(), "pooled", 20, np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        rate = rng.beta(8, 4, 40)  # of each photograph; the mean over all photographs is 2/3
        crack = np.full(40, 500.0)
        tp = rng.binomial(500, rate).astype(float)
        counts = np.stack([tp, np.zeros(40), crack - tp], -1)[None, None]
        ids = np.arange(40)
        low, high = interval(resample(iou, counts, ids, ids * 0, "pooled", 400, rng)[:, 0])
        covered += bool(low <= 2 / 3 <= high)
    assert 0.88 <= covered / 150 <= 0.99
