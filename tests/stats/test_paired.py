"""Effect sizes of paired differences at the edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from bench.stats.paired import cohen_dz, holm


@pytest.mark.parametrize("difference", [np.full(3, 0.1), np.full(7, -1e-9), np.zeros(4), np.array([0.3]), np.empty(0)])
def test_differences_that_do_not_vary_have_no_effect_size(difference):
    assert np.isnan(cohen_dz(difference))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_an_effect_size_does_not_depend_on_the_unit(scale):
    assert cohen_dz(scale * np.array([0.1, 0.2, 0.3])) == pytest.approx(2)
    assert cohen_dz(scale * np.array([1.0, 1.0, 1.0 + 1e-9])) > 1e8  # small, but far above rounding


@settings(max_examples=10)  # statsmodels collects garbage in each call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


def test_holm_by_hand():
    assert holm([0.01, 0.02, 0.04]).tolist() == pytest.approx([0.03, 0.04, 0.04])  # Bonferroni: 0.03, 0.06, 0.12
    assert holm([0.5, 0.4]).tolist() == pytest.approx([0.8, 0.8])
    assert holm([0.9, 0.8]).tolist() == [1, 1]
