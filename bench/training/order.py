"""Which items make up which batch."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def epoch_batches(rows: Rows, batch: int, seed: int, epoch: int) -> list[Rows]:
    """Return the batches of one epoch: every item once, in an order that (seed, epoch) alone decides.

    The last batch may be smaller; one that would hold a single item is left out, since batch normalisation over one
    pooled value is undefined. As the order changes with the epoch, no item is left out for good.

    >>> [len(b) for b in epoch_batches(np.arange(9), 4, seed=0, epoch=1)]
    [4, 4]
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch))))
    order = generator.permutation(rows)
    batches = [order[i : i + batch] for i in range(0, len(order), batch)]
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches
