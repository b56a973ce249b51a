"""Thinning gives the pixels of scikit-image's ``thin``."""

import numpy as np
import pytest
import skimage.morphology
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from bench.metrics.thinning import thin

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20))


@settings(deadline=None)
@given(MASKS)
def test_any_mask_is_thinned_as_scikit_image_does(mask: np.ndarray) -> None:
    before = mask.copy()
    np.testing.assert_array_equal(thin(mask), skimage.morphology.thin(mask))
    np.testing.assert_array_equal(mask, before)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([1.0, 2.0, 4.0]))
def test_so_are_smooth_shapes_of_many_widths(seed: int, blur: float) -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((70, 60)), blur)
    mask = noise > np.quantile(noise, 0.6)
    np.testing.assert_array_equal(thin(mask), skimage.morphology.thin(mask))


@pytest.mark.parametrize("value", [False, True])
def test_nothing_stays_nothing_and_a_full_image_ends(value: bool) -> None:
    mask = np.full((33, 50), value)
    np.testing.assert_array_equal(thin(mask), skimage.morphology.thin(mask))
    assert thin(mask).any() == value
