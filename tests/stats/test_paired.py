"""Effect sizes of paired differences at the edges."""

import numpy as np
import pytest

from bench.stats.paired import cohen_dz


@pytest.mark.parametrize("difference", [np.full(3, 0.1), np.full(7, -1e-9), np.zeros(4), np.array([0.3]), np.empty(0)])
def test_differences_that_do_not_vary_have_no_effect_size(difference):
    assert np.isnan(cohen_dz(difference))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_an_effect_size_does_not_depend_on_the_unit(scale):
    assert cohen_dz(scale * np.array([0.1, 0.2, 0.3])) == pytest.approx(2)
    assert cohen_dz(scale * np.array([1.0, 1.0, 1.0 + 1e-9])) > 1e8  # small, but far above rounding
