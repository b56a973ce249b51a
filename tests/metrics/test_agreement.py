"""Each metric against another implementation, over the same random predictions."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.morphology import skeletonize
from sklearn.metrics import average_precision_score

import bench.metrics.counting as counting
from bench import plugins


def image(seed, size=96):
    """Return levels and truth of a wavy crack with noise."""
    rng = np.random.default_rng(seed)
    true = np.zeros((size, size), bool)
    rows = np.clip(size / 2 + np.cumsum(rng.normal(0, 1.5, size)), 3, size - 4).astype(int)
    for column, row in enumerate(rows):
        true[row - 1 : row + 2 + column % 2, column] = True
    prob = ndimage.gaussian_filter(np.roll(true, rng.integers(-3, 4), 0).astype(float), 1.2) * rng.uniform(0.8, 1.6)
    levels = np.clip(256 * (prob + rng.normal(0, 0.12, true.shape)), 0, 255).astype(np.uint8)
    return levels, true


@pytest.fixture(params=range(4))
def case(request):
    levels, true = image(request.param)
    values, curve = counting.count_image(levels, true)
    return levels, true, values, curve


def compute(name, values, curve):
    metric = plugins.load("metrics", name)
    if metric.INPUT.over == "curve":
        return float(metric.compute(*curve.T))
    return float(metric.compute(*(np.float64(values[c]) for c in metric.INPUT.columns)))


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("crack_iou", "jaccard_index"), ("dice", "f1_score"), ("f1", "f1_score"), ("precision", "precision"),
        ("recall", "recall"), ("specificity", "specificity"), ("accuracy", "accuracy"),
    ],
)  # fmt: skip
def test_counts_agree_with_torchmetrics(case, name, theirs):
    from torchmetrics import functional

    levels, true, values, curve = case
    pred, target = (torch.from_numpy(a.astype(int)) for a in (levels >= 128, true))
    expected = getattr(functional, theirs)(pred, target, task="binary")
    assert compute(name, values, curve) == pytest.approx(float(expected), abs=1e-6)


def test_mean_iou_agrees_with_torchmetrics(case):
    from torchmetrics.functional import jaccard_index

    levels, true, values, curve = case
    pred, target = (torch.from_numpy(a.astype(int)) for a in (levels >= 128, true))
    expected = jaccard_index(pred, target, task="multiclass", num_classes=2, average="macro")
    assert compute("mean_iou", values, curve) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("crack_iou", "iou_score"), ("f1", "f1_score"), ("specificity", "specificity"), ("accuracy", "accuracy")],
)
def test_counts_agree_with_smp_metrics(case, name, theirs):
    from segmentation_models_pytorch import metrics

    levels, true, values, curve = case
    pred, target = (torch.from_numpy(a.astype(np.int64))[None, None] for a in (levels >= 128, true))
    stats = metrics.get_stats(pred, target, mode="binary", threshold=0.5)
    expected = getattr(metrics, theirs)(*stats, reduction="micro")
    assert compute(name, values, curve) == pytest.approx(float(expected), abs=1e-6)


def test_average_precision_agrees_with_scikit_learn(case):
    levels, true, values, curve = case
    expected = average_precision_score(true.ravel(), levels.ravel())
    assert compute("average_precision", values, curve) == pytest.approx(expected, abs=1e-12)
    assert values["average_precision"] == pytest.approx(expected, abs=1e-12)


def test_calibration_error_agrees_with_torchmetrics(case):
    from torchmetrics.functional.classification import binary_calibration_error

    levels, true, values, curve = case
    prob = torch.from_numpy((levels.astype(np.float32) + 0.5) / 256).ravel()
    expected = binary_calibration_error(prob, torch.from_numpy(true.astype(int)).ravel(), n_bins=15)
    assert compute("expected_calibration_error", values, curve) == pytest.approx(float(expected), abs=1e-5)


def test_best_threshold_and_aiu_agree_with_the_loop_over_thresholds(case):
    levels, true, values, curve = case
    masks = [levels >= t for t in range(256)]
    f1 = [2 * (m & true).sum() / (m.sum() + true.sum()) for m in masks]
    assert compute("ods", values, curve) == pytest.approx(max(f1)) == values["best_f1"]
    assert values["best_threshold"] == int(np.argmax(f1))
    iou = [(m & true).sum() / (m | true).sum() for m in masks[1:]]
    assert values["aiu"] == pytest.approx(np.mean(iou))


@pytest.mark.parametrize("tolerance_px", [2, 5])
def test_tolerance_agrees_with_distance_maps(case, tolerance_px):
    levels, true, values, curve = case
    pred = levels >= 128
    to_true, to_pred = (ndimage.distance_transform_edt(~mask) for mask in (true, pred))
    precision, recall = (to_true[pred] <= tolerance_px).mean(), (to_pred[true] <= tolerance_px).mean()
    assert compute(f"precision_{tolerance_px}px", values, curve) == pytest.approx(precision)
    assert compute(f"recall_{tolerance_px}px", values, curve) == pytest.approx(recall)
    assert compute(f"f1_{tolerance_px}px", values, curve) == pytest.approx(2 / (1 / precision + 1 / recall))


def test_cl_dice_agrees_with_its_formula_on_masks(case):
    levels, true, values, curve = case
    pred = levels >= 128
    precision, sensitivity = true[skeletonize(pred)].mean(), pred[skeletonize(true)].mean()
    assert compute("cl_dice", values, curve) == pytest.approx(2 / (1 / precision + 1 / sensitivity))


def test_centreline_iou_agrees_with_the_jaccard_index_of_matched_pixels(case):
    from sklearn.metrics import jaccard_score

    levels, true, values, curve = case
    pred_line, true_line = skeletonize(levels >= 128), skeletonize(true)
    near_true, near_pred = (ndimage.distance_transform_edt(~line) <= 4 for line in (true_line, pred_line))
    found = (pred_line & ~near_true) | (true_line & near_pred)  # false positives and matched true pixels
    expected = jaccard_score(true_line.ravel(), np.where(true_line, near_pred, found).ravel())
    assert compute("centreline_iou_4px", values, curve) == pytest.approx(expected)


def test_boundary_iou_agrees_with_chessboard_distances(case):
    levels, true, values, curve = case
    width = round(0.02 * np.hypot(*true.shape))

    def rim(mask):
        inside = ndimage.distance_transform_cdt(np.pad(mask, 1), metric="chessboard")[1:-1, 1:-1]
        return mask & (inside <= width)

    both, either = (f(rim(levels >= 128), rim(true)).sum() for f in (np.logical_and, np.logical_or))
    assert compute("boundary_iou", values, curve) == pytest.approx(both / either)


def test_boundary_of_a_square_is_a_frame():
    mask = np.zeros((50, 50), bool)
    mask[10:20, 10:20] = True
    assert counting.boundary(mask).sum() == 100 - 64  # 2 % of the diagonal of 50x50 is 1.41, rounded 1 px
