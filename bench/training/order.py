"""Shuffle the training items of an epoch into batches."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def validation_rows(rows: Rows, count: int | None) -> Rows:
    """Return the items to validate on, ascending: all, or ``count`` of them, the same for every epoch, seed and model.

    >>> validation_rows(np.arange(4), None).tolist()
    [0, 1, 2, 3]
    """
    if count is None or count >= len(rows):
        return rows
    return np.sort(np.random.Generator(np.random.PCG64(0)).permutation(rows)[:count])


def epoch_batches(rows: Rows, batch: int, seed: int, epoch: int, count: int | None = None) -> list[Rows]:
    """Return the batches of one epoch: every item once, or ``count`` of them, in an order given by (seed, epoch) only.

    The last batch may be smaller; a last batch of one item is dropped, since batch normalisation over one pooled value
    is undefined. The order changes with the epoch, so that it is not always the same item that is dropped.

    >>> [len(b) for b in epoch_batches(np.arange(9), 4, seed=0, epoch=1)]
    [4, 4]
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch))))
    order = generator.permutation(rows)[:count]
    batches = [order[i : i + batch] for i in range(0, len(order), batch)]
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches
