"""Which items are for training, validation and testing."""

import numpy as np


def random_split(count: int, test_share: float, validation_share: float, seed: int) -> list[str]:
    """Return "train", "validation" or "test" for each of ``count`` items.

    A seeded permutation: its first ``round(count * test_share)`` items are for testing, the next
    ``round(rest * validation_share)`` for validation. At least one item is for training and one for testing.

    **Source:** the paper, Section 4.1: 80 % for training and 20 % for testing, per dataset.

    Raises:
        ValueError: fewer than two items.

    >>> random_split(5, 0.2, 0.0, seed=0).count("test")
    1
    """
    if count < 2:
        raise ValueError(f"{count} items cannot be split: at least 2 are needed")
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    tests = min(max(round(count * test_share), 1), count - 1)
    validations = min(round((count - tests) * validation_share), count - tests - 1)
    names = ["train"] * count
    for rank, item in enumerate(order):
        if rank < tests:
            names[item] = "test"
        elif rank < tests + validations:
            names[item] = "validation"
    return names
