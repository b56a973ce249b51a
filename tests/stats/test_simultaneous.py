"""Simultaneous intervals: against Student's t and against Dunnett's quantile, coverage, NaN."""

import numpy as np
import pytest
from scipy import stats

from bench.stats.simultaneous import simultaneous


def bootstrap(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return means of resampled values (N, K), as draws (R, 1, K)."""
    count = len(values)
    return (rng.multinomial(count, np.full(count, 1 / count), resamples) @ values / count)[:, None]


@pytest.mark.parametrize("count", [5, 30])
def test_one_mean_has_the_t_interval(count: int) -> None:
    rng = np.random.default_rng(count)
    values = rng.normal(1, 2, (count, 1))
    low, high = simultaneous(values.mean(0)[None], bootstrap(values, 40_000, rng), [count])
    expected = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values[:, 0]))
    assert (high[0] - low[0]) / (expected[1] - expected[0]) == pytest.approx(1, abs=0.05)
    assert (low[0] + high[0]) / 2 == pytest.approx(values.mean())


def test_many_independent_means_have_the_quantile_of_their_largest() -> None:
    draws = np.random.default_rng(0).normal(0, 1, (20_000, 1, 10))
    low, high = simultaneous(np.zeros((1, 10)), draws, [100_000])
    expected = stats.norm.ppf((1 + 0.95 ** (1 / 10)) / 2)
    assert high == pytest.approx(np.full(10, expected), rel=0.03)
    assert low == pytest.approx(-high, rel=0.05)


def test_equal_differences_cost_nothing() -> None:
    one = np.random.default_rng(0).normal(0, 1, (5000, 2, 1))
    alone = simultaneous(np.zeros((2, 1)), one, [50, 60])
    thrice = simultaneous(np.zeros((2, 3)), one.repeat(3, 2), [50, 60])
    assert thrice[1] == pytest.approx(alone[1].repeat(3))


def test_intervals_hold_as_often_as_stated_where_those_of_percentiles_do_not() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(300):
        values = rng.normal(0, 1, (5, 3))
        draws = bootstrap(values, 300, rng)
        low, high = simultaneous(values.mean(0)[None], draws, [5])
        held.append([((low <= 0) & (high >= 0)).all(), (np.quantile(draws[:, 0], [0.025, 0.975], 0)[0] <= 0).all()])
    share = np.mean(held, 0)
    assert share[0] == pytest.approx(0.95, abs=0.03)
    assert share[1] < 0.9


def test_a_difference_with_an_undefined_draw_has_no_interval_and_does_not_count() -> None:
    draws = np.random.default_rng(0).normal(0, 1, (1000, 2, 2))
    alone = simultaneous(np.zeros((2, 1)), draws[..., :1], [9, 9])
    draws[3, 1, 1] = np.nan
    low, high = simultaneous(np.zeros((2, 2)), draws, [9, 9])
    assert np.isnan([low[1], high[1]]).all()
    assert high[0] == alone[1][0]
    assert np.isnan(simultaneous(np.zeros((2, 1)), draws[..., :1], [9, 1])).all()


def test_no_spread_is_no_width() -> None:
    low, high = simultaneous(np.full((2, 2), 0.5), np.full((100, 2, 2), 0.5), [4, 4])
    assert low.tolist() == high.tolist() == [0.5, 0.5]
