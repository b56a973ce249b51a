"""Pixels by level and the counts at all thresholds, against comparing level by level."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.histogram import curves, histogram

PIXELS = st.lists(st.tuples(st.integers(0, 255), st.booleans()), min_size=1, max_size=40)


@given(PIXELS)
def test_counts_at_each_threshold_are_those_of_comparing(pixels: list[tuple[int, bool]]) -> None:
    levels = np.array([[level for level, _ in pixels]], np.uint8)
    true = np.array([[crack for _, crack in pixels]])
    tp, fp, fn = curves(histogram(levels, true))
    for threshold in (0, 1, 127, 128, 255):
        pred = levels >= threshold
        counts = ((pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum())
        assert (tp[threshold], fp[threshold], fn[threshold]) == counts


@given(PIXELS, PIXELS)
def test_histograms_of_images_add_up(first: list[tuple[int, bool]], second: list[tuple[int, bool]]) -> None:
    def of(pixels: list[tuple[int, bool]]) -> np.ndarray:
        levels, true = zip(*pixels, strict=True)
        return histogram(np.array([levels], np.uint8), np.array([true]))

    assert np.array_equal(of(first) + of(second), of(first + second))


def test_crack_comes_first() -> None:
    counts = histogram(np.array([[7, 7, 9]], np.uint8), np.array([[True, True, False]]))
    assert counts.shape == (2, 256)
    assert (counts[0, 7], counts[1, 9], counts.sum()) == (2, 1, 3)
