"""Letters for groups of models that are not distinguishable: a compact letter display."""

import numpy as np
import numpy.typing as npt


def letters(differ: npt.NDArray[np.bool_]) -> list[str]:
    """Return the letters of each model: two models share one exactly if they do not differ.

    Args:
        differ: whether models i and j differ, symmetric, (K, K); the models in the order of their ranking.

    Returns:
        K strings such as "a", "ab"; the first model has an "a".

    **Source:** Piepho 2004, Journal of Computational and Graphical Statistics 13(2), doi 10.1198/1061860043515
    (insert and absorb).

    >>> letters(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool))
    ['a', 'ab', 'b']
    """
    groups = [frozenset(range(len(differ)))] if len(differ) else []
    for i, j in np.argwhere(np.triu(differ)).tolist():
        split = [part for group in groups for part in ([group - {i}, group - {j}] if {i, j} <= group else [group])]
        distinct = list(dict.fromkeys(split))
        groups = [group for group in distinct if not any(group < other for other in distinct)]
    groups.sort(key=sorted)
    return ["".join(_name(n) for n, group in enumerate(groups) if model in group) for model in range(len(differ))]


def _name(number: int) -> str:
    """Return a to z, then (27), (28) and so on."""
    return chr(ord("a") + number) if number < 26 else f"({number + 1})"
