"""Ranks of the report, computed by hand."""

import numpy as np
import pytest

from bench.report.rank import rank
from bench.stats.ranks import critical_difference


def test_ranks_of_a_complete_grid() -> None:
    ranked = rank(np.array([[0.9, 0.5, 0.7], [0.8, 0.8, 0.1]]))
    assert ranked.ranks.tolist() == [[1, 3, 2], [1.5, 1.5, 3]]
    assert ranked.mean_ranks.tolist() == [1.25, 2.25, 2.5]
    assert ranked.difference == critical_difference(3, 2)


def test_an_incomplete_model_has_no_mean_rank_and_there_is_no_critical_difference() -> None:
    ranked = rank(np.array([[0.9, 0.5], [0.8, np.nan]]))
    assert ranked.mean_ranks.tolist() == pytest.approx([1, np.nan], nan_ok=True)
    assert np.isnan(ranked.difference)
    assert ranked.cliques == []
