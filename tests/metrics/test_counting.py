"""The counts that metrics are made of, against comparing and measuring pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.formats import scores
from bench.metrics import counting
from bench.metrics.counting import HALF, count_image, threshold_counts

SHAPE = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def tolerant_hits(pred: np.ndarray, true: np.ndarray, tolerances: tuple[int, ...]) -> list[tuple[int, int]]:
    return [counting.tolerant_hits(pred, true, tolerance) for tolerance in tolerances]


def best_f1(levels: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    columns, _ = count_image(levels, true)
    return columns["best_threshold"], columns["best_f1"]


def skeleton_hits(pred: np.ndarray, true: np.ndarray) -> tuple[float, ...]:
    columns, _ = count_image(255 * pred.astype(np.uint8), true)
    return tuple(columns[f"skeleton_{name}"] for name in ("pred", "pred_hit", "true", "true_hit"))


@st.composite
def levels_and_truth(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(SHAPE)
    levels = draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 127, 128, 129, 254, 255])))
    return levels, draw(hnp.arrays(np.bool_, shape))


@st.composite
def two_masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(SHAPE)
    return draw(hnp.arrays(np.bool_, shape)), draw(hnp.arrays(np.bool_, shape))


def naive(levels: np.ndarray, true: np.ndarray) -> list[list[int]]:
    """Return tp, fp and fn at each of 256 thresholds by 256 comparisons."""
    rows = []
    for threshold in range(256):
        pred = levels >= threshold
        rows.append([int((pred & true).sum()), int((pred & ~true).sum()), int((~pred & true).sum())])
    return rows


@given(levels_and_truth())
def test_threshold_counts_are_256_comparisons(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = threshold_counts(*pair)
    assert found.shape == (256, 3)
    assert found.tolist() == naive(*pair)


def test_threshold_counts_of_a_whole_image() -> None:
    generator = np.random.default_rng(0)
    levels, true = generator.integers(0, 256, (96, 80), dtype=np.uint8), generator.random((96, 80)) < 0.05
    assert threshold_counts(levels, true).tolist() == naive(levels, true)


def test_half_is_where_the_probability_is_one_half() -> None:
    assert HALF / 256 == 0.5


@given(levels_and_truth())
def test_best_f1_is_the_first_of_the_highest(pair: tuple[np.ndarray, np.ndarray]) -> None:
    threshold, value = best_f1(*pair)
    if not pair[1].any():
        assert np.isnan(threshold)
        assert np.isnan(value)
        return
    f1s = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in naive(*pair)][1:]  # at 0, all is crack
    assert value == pytest.approx(max(f1s))
    assert threshold == next(t for t, f in enumerate(f1s, 1) if f == max(f1s))


def test_best_f1_by_hand() -> None:
    levels = np.array([[10, 200, 200, 50]], np.uint8)
    true = np.array([[False, True, True, True]])
    assert best_f1(levels, true) == (11.0, 1.0)  # from 11 to 50 all is right


def brute_force(pred: np.ndarray, true: np.ndarray, tolerance: float) -> tuple[int, int]:
    """Return how many points of each mask have one of the other within a distance, trying all pairs."""
    a, b = (list(map(tuple, np.argwhere(m))) for m in (pred, true))

    def near(points: list, others: list) -> int:  # type: ignore[type-arg]
        return sum(any((y - v) ** 2 + (x - u) ** 2 <= tolerance**2 for v, u in others) for y, x in points)

    return near(a, b), near(b, a)


@given(two_masks())
def test_tolerant_hits_are_those_of_all_pairs(masks: tuple[np.ndarray, np.ndarray]) -> None:
    assert tolerant_hits(*masks, (0, 1, 2, 5)) == [brute_force(*masks, t) for t in (0, 1, 2, 5)]


@pytest.mark.parametrize(
    ("offset", "hit"), [((0, 5), 1), ((3, 4), 1), ((5, 0), 1), ((4, 4), 0), ((0, 6), 0), ((1, 5), 0)]
)
def test_a_distance_of_exactly_the_tolerance_is_within(offset: tuple[int, int], hit: int) -> None:
    pred, true = np.zeros((2, 40, 40), bool)
    pred[10, 10] = true[10 + offset[0], 10 + offset[1]] = True
    assert tolerant_hits(pred, true, (5,)) == [(hit, hit)]


def test_distances_are_exact_over_a_whole_image() -> None:
    pred, true = np.zeros((2, 448, 448), bool)
    pred[:, 200] = True
    true[:, 205] = True
    true[::2, 202] = True
    assert tolerant_hits(pred, true, (2, 5)) == [(224, 224), (448, 672)]


def test_near_an_empty_mask_lies_nothing() -> None:
    empty, full = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert tolerant_hits(full, empty, (2, 50)) == [(0, 0), (0, 0)]
    assert tolerant_hits(empty, full, (2, 50)) == [(0, 0), (0, 0)]
    assert tolerant_hits(empty, empty, (2,)) == [(0, 0)]


@given(two_masks())
def test_more_tolerance_never_hits_less(masks: tuple[np.ndarray, np.ndarray]) -> None:
    hits = tolerant_hits(*masks, (0, 1, 2, 5))
    assert sorted(hits) == hits
    assert hits[0] == (int((masks[0] & masks[1]).sum()),) * 2


def test_skeleton_hits_of_lines() -> None:
    pred, true = np.zeros((2, 20, 40), bool)
    true[8:11, 5:35] = True  # 3 px thick: its skeleton runs along row 9
    pred[9, 5:15] = True  # its own skeleton
    pred[2, 20:30] = True
    of_pred, of_pred_in_true, of_true, of_true_in_pred = skeleton_hits(pred, true)
    assert of_pred == 20
    assert of_pred_in_true == 10
    assert 26 <= of_true <= 30  # the ends may be a pixel shorter
    assert 8 <= of_true_in_pred <= 10


@given(two_masks())
def test_skeletons_lie_within_their_masks(masks: tuple[np.ndarray, np.ndarray]) -> None:
    pred, true = masks
    of_pred, of_pred_in_true, of_true, of_true_in_pred = skeleton_hits(pred, true)
    assert 0 <= of_pred_in_true <= min(of_pred, (pred & true).sum())
    assert 0 <= of_true_in_pred <= min(of_true, (pred & true).sum())
    assert (of_pred > 0) == pred.any()
    assert skeleton_hits(true, pred) == (of_true, of_true_in_pred, of_pred, of_pred_in_true)


def test_skeleton_hits_of_nothing() -> None:
    empty = np.zeros((6, 6), bool)
    assert skeleton_hits(empty, empty) == (0, 0, 0, 0)


def test_columns_of_a_row_are_those_of_the_score_files() -> None:
    columns, _ = count_image(np.zeros((6, 6), np.uint8), np.zeros((6, 6), bool))
    assert {*scores.COUNTS, *scores.LATER} <= set(columns)
    assert set(scores.IMAGES) >= set(columns) - {"best_tp", "best_fp", "best_fn", "aiu_all_images"}


def test_resized_counts_take_the_pixel_nearest_to_each_centre() -> None:
    pred, true = np.zeros((2, 512, 1024), bool)
    pred[1::2, 2::4], true[1::2, 2::4] = True, True  # centres of 256 px lie at the pixels 1, 3, ... and 2, 6, ...
    true[1, 2], pred[0::2] = False, True
    columns, _ = count_image(255 * pred.astype(np.uint8), true)
    assert [columns[f"{name}_256px"] for name in ("tp", "fp", "fn")] == [256**2 - 1, 1, 0]


def test_thin_lines_are_measured_by_hand() -> None:
    pred, true = np.zeros((2, 100, 100), bool)
    true[50, 10:30] = True
    pred[51, 10:20], pred[80, 10:20] = True, True  # 1 px away: matched within 0.0075 * 141 px = 1.06 px; 30 px away
    columns, _ = count_image(255 * pred.astype(np.uint8), true)
    assert (columns["thin_pred"], columns["thin_true"]) == (20, 20)
    assert (columns["thin_pred_hit_4px"], columns["thin_true_hit_4px"]) == (10, 13)  # 3 px on: sqrt(9 + 1) <= 4
    assert columns["thin_matched"] == 10
