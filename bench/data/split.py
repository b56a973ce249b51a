"""Split items into training, validation and test sets."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Groups = npt.NDArray[np.int64]

CANDIDATES = 500
"""Number of seeded orders of the groups to try; more change the balance in the third digit only."""


def random_split(count: int, test_share: float, validation_share: float, seed: int) -> list[str]:
    """Return "train", "validation" or "test" for each of ``count`` items.

    The first ``round(count * test_share)`` items of a seeded permutation are for testing, the next
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


def choose_train_items(split: Sequence[str], count: int | None, seed: int) -> list[int]:
    """Return the positions to keep, ascending: all that are not for training, and ``count`` of those that are.

    The choice is a prefix of one seeded order, so that a smaller count is a part of a larger one.

    >>> choose_train_items(["train", "test", "train", "train"], None, seed=0)
    [0, 1, 2, 3]
    >>> len(choose_train_items(["train", "test", "train", "train"], 2, seed=0))
    3
    """
    train = [i for i, part in enumerate(split) if part == "train"]
    if count is None or count >= len(train):
        return list(range(len(split)))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(train))
    kept = {train[i] for i in order[:count]}
    return [i for i, part in enumerate(split) if part != "train" or i in kept]


def grouped_split(
    groups: Sequence[str], weights: Sequence[float], test_share: float, validation_share: float, seed: int
) -> list[str]:
    """Return "train", "validation" or "test" for each item; items of one group stay together.

    Args:
        groups: group of each item, usually its source image.
        weights: value to balance, usually the crack share of each item.
        test_share: share of the items for testing, met as closely as whole groups allow.
        validation_share: share of the rest for validation; 0 for none.
        seed: random seed of the orders to try.

    Raises:
        ValueError: fewer than two groups left to split.

    >>> grouped_split(["a", "a", "b", "c", "d"], [0.1, 0.2, 0.1, 0.2, 0.1], 0.4, 0.0, seed=0)
    ['train', 'train', 'test', 'test', 'train']
    """
    tests = split_off(groups, weights, test_share, seed)
    split = ["test" if chosen else "train" for chosen in tests]
    return with_validation(split, groups, weights, validation_share, seed)


def with_validation(
    split: Sequence[str], groups: Sequence[str], weights: Sequence[float], share: float, seed: int
) -> list[str]:
    """Return the split with ``share`` of its training items, in whole groups, moved to validation."""
    if share <= 0:
        return list(split)
    rest = [i for i, part in enumerate(split) if part == "train"]
    chosen = split_off([groups[i] for i in rest], [weights[i] for i in rest], share, seed)
    inner = {rest[i] for i in np.flatnonzero(chosen)}
    return ["validation" if i in inner else part for i, part in enumerate(split)]


def split_off(groups: Sequence[str], weights: Sequence[float], share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Return which items to split off (bool, one per item): whole groups, about ``share`` of the items.

    Groups are added in seeded random orders as long as that brings the number of items closer to the goal. The order
    is chosen whose number of items and mean weight deviate least (sum of the relative deviations).

    Raises:
        ValueError: fewer than two groups.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"{len(names)} source images cannot be split: at least 2 are needed")
    sizes = np.bincount(member)
    sums = np.bincount(member, weights=np.asarray(weights, float))
    goal, mean = share * len(member), float(np.mean(weights)) or 1.0
    generator = np.random.Generator(np.random.PCG64(seed))
    best, best_cost = np.array([0]), np.inf
    for _ in range(CANDIDATES):
        chosen = _fill(generator.permutation(len(names)), sizes, goal)
        count = sizes[chosen].sum()
        cost = abs(count - goal) / goal + abs(sums[chosen].sum() / count - mean) / mean
        if cost < best_cost - 1e-12:
            best, best_cost = chosen, cost
    return np.isin(member, best)


def _fill(order: Groups, sizes: Groups, goal: float) -> Groups:
    """Return groups in ``order``, added while that approaches ``goal`` items; at least one, never all."""
    chosen: list[int] = []
    count = 0
    for group in order:
        if abs(count + sizes[group] - goal) < abs(count - goal) and len(chosen) < len(order) - 1:
            chosen.append(int(group))
            count += int(sizes[group])
    return np.array(chosen or [int(order[np.argmin(sizes[order])])])
