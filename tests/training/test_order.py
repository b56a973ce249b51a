"""The order: every item once per epoch, decided by seed and epoch alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.training.order import epoch_batches, validation_rows

ROWS = st.lists(st.integers(0, 10_000), min_size=1, max_size=80, unique=True).map(lambda rows: np.array(rows))


@given(ROWS, st.integers(2, 12), st.integers(0, 2**31), st.integers(1, 1000))
def test_every_item_comes_once_but_for_a_lonely_last_one(rows: np.ndarray, batch: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(rows, batch, seed, epoch)
    seen = np.concatenate(batches)
    lonely = len(rows) % batch == 1 and len(rows) > batch
    assert len(seen) == len(rows) - lonely
    assert len(set(seen.tolist())) == len(seen)
    assert set(seen.tolist()) <= set(rows.tolist())


@given(ROWS, st.integers(2, 12), st.integers(0, 2**31), st.integers(1, 1000))
def test_batches_are_full_but_for_the_last_which_is_never_of_one(
    rows: np.ndarray, batch: int, seed: int, epoch: int
) -> None:
    sizes = [len(b) for b in epoch_batches(rows, batch, seed, epoch)]
    assert all(size == batch for size in sizes[:-1])
    assert 0 < sizes[-1] <= batch
    assert sizes[-1] > 1 or len(rows) == 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    rows = np.arange(30)
    orders = {
        (seed, epoch): tuple(np.concatenate(epoch_batches(rows, 8, seed, epoch)).tolist())
        for seed in range(5)
        for epoch in range(1, 6)
    }
    assert len(set(orders.values())) == len(orders)
    np.random.seed(0)
    again = {key: tuple(np.concatenate(epoch_batches(rows, 8, *key)).tolist()) for key in reversed(orders)}
    assert again == orders


def test_the_rows_given_stay_as_they_are() -> None:
    rows = np.arange(10)
    epoch_batches(rows, 4, 0, 1)
    assert rows.tolist() == list(range(10))


def test_no_item_is_left_out_for_good() -> None:
    left_out = {
        next(iter(set(range(9)) - set(np.concatenate(epoch_batches(np.arange(9), 4, 0, epoch)).tolist())))
        for epoch in range(1, 101)
    }
    assert left_out == set(range(9))


def test_a_smaller_epoch_draws_other_items_each_time() -> None:
    drawn = [np.concatenate(epoch_batches(np.arange(100), 4, 0, epoch, count=12)) for epoch in range(40)]
    assert all(len(set(rows.tolist())) == 12 for rows in drawn)
    assert len(set(np.concatenate(drawn).tolist())) > 95
    assert np.array_equal(drawn[3], np.concatenate(epoch_batches(np.arange(100), 4, 0, 3))[:12])


def test_validation_is_on_the_same_items_always() -> None:
    rows = np.arange(50, 150)
    chosen = validation_rows(rows, 10)
    assert len(chosen) == 10
    assert set(chosen) <= set(rows)
    assert np.array_equal(chosen, validation_rows(rows, 10))
    assert np.array_equal(validation_rows(rows, 1000), rows)
