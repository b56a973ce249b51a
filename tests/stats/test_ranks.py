"""Ranks and paired tests against scipy, scikit-posthocs and published numbers."""

import numpy as np
import pytest
import scikit_posthocs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.stats.paired import bayesian_signed_rank, holm, rank_biserial, smallest_p, wilcoxon
from bench.stats.ranks import cliques, critical_difference, friedman, friedman_p, rank_range, ranks

GRID = st.integers(2, 6).flatmap(lambda k: st.lists(st.lists(st.integers(0, 3), min_size=k, max_size=k), min_size=1))
SCORES = np.random.default_rng(0).normal(size=(10, 5)) + np.arange(5) * 0.6


@given(GRID)
def test_ranks_and_places_agree_with_scipy_also_with_ties(grid):
    scores = np.array(grid) / 3
    assert np.array_equal(ranks(scores), stats.rankdata(-scores, axis=-1))
    places = stats.rankdata(stats.rankdata(-scores, axis=-1), axis=-1, method="min")
    assert np.array_equal(rank_range(scores[:, None])[2], (places == 1).mean(0))
    assert np.isnan(ranks(np.vstack([scores, [np.nan] * len(scores[0])]))[-1]).all()


@pytest.mark.parametrize("models", [2, 3, 12, 60])
def test_the_critical_difference_agrees_with_scipy(models):
    q = stats.studentized_range.ppf(0.95, models, np.inf)
    assert critical_difference(models, 10) * np.sqrt(2) / np.sqrt(models * (models + 1) / 60) == pytest.approx(q)


def test_friedman_agrees_with_scipy_also_with_ties():
    for scores in (SCORES, SCORES.round(0)):
        expected = stats.friedmanchisquare(*scores.T)
        found = friedman(scores)
        assert (found.chi2, found.chi2_p) == pytest.approx((expected.statistic, expected.pvalue))


def test_iman_davenport_of_the_published_example():
    # Demsar 2006, section 3.2.2: 14 datasets, 4 models, mean ranks 3.143, 2.000, 2.893, 1.964: chi2 9.28, F 3.69
    chi2 = 9.28
    assert (14 - 1) * chi2 / (14 * 3 - chi2) == pytest.approx(3.69, abs=0.005)
    found = friedman(SCORES)
    assert found.f == pytest.approx(9 * found.chi2 / (10 * 4 - found.chi2))


def test_few_datasets_give_the_p_of_the_tables():
    agreeing = np.array([[3.0, 2, 1]])
    assert friedman_p(np.repeat(agreeing, 2, axis=0)) == (pytest.approx(1 / 6), True)
    # Friedman's table of 1937: 3 models, 4 datasets, sum of squares 26 (chi2 6.5): p 0.042
    scores = np.array([[3.0, 2, 1], [3, 2, 1], [3, 2, 1], [3, 1, 2]])
    assert friedman(scores).chi2 == pytest.approx(6.5)
    assert friedman_p(scores)[0] == pytest.approx(0.042, abs=0.0005)
    assert friedman_p(np.ones((4, 3))) == (1.0, True)


def test_many_datasets_give_the_p_of_chi_squared():
    scores = np.random.default_rng(3).normal(size=(40, 5)) + np.arange(5) * 0.15
    p, exact = friedman_p(scores)
    assert not exact
    assert p == pytest.approx(friedman(scores).chi2_p, rel=0.2)
    assert p == friedman_p(scores)[0]


def test_models_alike_everywhere_do_not_differ():
    assert friedman(np.ones((4, 3))).chi2_p == 1
    assert wilcoxon(np.zeros(5)) == 1
    assert rank_biserial(np.zeros(5)) == 0


@pytest.mark.parametrize(("k", "n", "expected"), [(10, 10, 4.28), (4, 14, 1.25), (5, 30, 1.11), (2, 10, 0.62)])
def test_critical_difference(k, n, expected):
    assert critical_difference(k, n) == pytest.approx(expected, abs=0.005)


def test_the_critical_difference_parts_the_pairs_as_scikit_posthocs_does():
    p = scikit_posthocs.posthoc_nemenyi_friedman(SCORES).to_numpy()
    mean = ranks(SCORES).mean(0)
    apart = np.abs(mean[:, None] - mean) > critical_difference(5, 10)
    assert 0 < apart.sum() < 20
    assert ((p < 0.05) == apart).all()


def test_holm_agrees_with_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.array([0.001, 0.2, 0.04, 0.04, 0.8])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_ten_datasets_are_too_few_for_all_45_pairs_but_not_for_one_against_nine():
    assert smallest_p(10, 45) > 0.05 > smallest_p(10, 9)
    assert holm([wilcoxon(np.arange(1.0, 11))] * 45).min() == pytest.approx(smallest_p(10, 45))


def test_bayesian_signed_rank_sees_equal_better_and_worse():
    steps = np.linspace(0.02, 0.04, 10)
    assert bayesian_signed_rank(steps, 0.01, 0)[2] > 0.99
    assert bayesian_signed_rank(-steps, 0.01, 0)[0] > 0.99
    assert bayesian_signed_rank(steps / 10, 0.01, 0)[1] > 0.99
    assert bayesian_signed_rank(steps, 0.01, 0) == bayesian_signed_rank(steps, 0.01, 0)


@settings(deadline=None)
@given(st.lists(st.floats(1, 10), min_size=2, max_size=10), st.floats(0.1, 5))
def test_cliques_are_within_the_difference_and_none_lies_in_another(mean_ranks, difference):
    found = cliques(np.array(mean_ranks), difference)
    for group in found:
        values = [mean_ranks[i] for i in group]
        assert max(values) <= min(values) + difference
        assert not any(set(group) < set(other) for other in found)
    for i, a in enumerate(mean_ranks):
        for j, b in enumerate(mean_ranks):
            if i != j and max(a, b) <= min(a, b) + difference:
                assert any({i, j} <= set(group) for group in found)


def test_rank_range_of_a_model_that_always_leads():
    draws = np.random.default_rng(1).normal(size=(200, 3, 4))
    draws[..., 2] += 100
    best, worst, first = rank_range(draws)
    assert (best[2], worst[2], first[2]) == (1, 1, 1.0)
    assert ((best >= 1) & (worst <= 4) & (best <= worst)).all()
    assert ranks(draws).mean() == 2.5
