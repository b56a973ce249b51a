"""Read arrays of any usual encoding as probability levels or masks, or refuse them by name."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.formats.predictions import quantise

FEW = 8
"""Arrays with more distinct integers, over all of them, are probabilities; with fewer they are codes."""

Array = npt.NDArray[Any]
Levels = npt.NDArray[np.uint8]


def to_levels(arrays: Mapping[str, Array], origin: str, classes: int = 1) -> dict[str, Levels]:
    """Return floor(256 p) of arrays that one tool made; masks become 0 and 255.

    Args:
        arrays: what messages call an array -> its numbers, of any one shape.
        origin: what messages call all of them.
        classes: number of classes of the data; with more than one, the numbers of classes are masks too.

    Raises:
        UserError: they are neither probabilities nor masks of 0 and one other value.

    >>> to_levels({"a": np.array([[0, 1]])}, "a")["a"].tolist()
    [[0, 255]]
    >>> to_levels({"a": np.array([[0.25, 1.0]])}, "a")["a"].tolist()
    [[64, 255]]
    """
    counts = _values(arrays)
    if counts is not None:
        crack = _crack_values(origin, counts, classes)
        if crack:
            return {name: np.where(np.isin(a, list(crack)), 255, 0).astype(np.uint8) for name, a in arrays.items()}
    highest = max((float(a.max(initial=0)) for a in arrays.values()), default=0.0)
    return {name: _probabilities(name, array, highest) for name, array in arrays.items()}


def are_classes(arrays: Mapping[str, Array], classes: int) -> bool:
    """Return whether all numbers are those of classes, 0 to ``classes - 1``.

    >>> are_classes({"a": np.array([[0, 2]])}, 3), are_classes({"a": np.array([[0.5, 2]])}, 3)
    (True, False)
    """
    return not any(_foreign(array, classes).any() for array in arrays.values())


def to_classes(arrays: Mapping[str, Array], classes: int) -> dict[str, Levels]:
    """Return maps of class numbers as uint8.

    Args:
        arrays: what messages call an array -> its numbers.
        classes: number of classes, background included.

    Raises:
        UserError: a number is not that of a class.
    """
    for name, array in arrays.items():
        if (foreign := _foreign(array, classes)).any():
            raise UserError(
                f"{name} contains {array[foreign].flat[0]}, which is no class: write whole numbers from 0 (background) "
                f"to {classes - 1}."
            )
    return {name: array.astype(np.uint8) for name, array in arrays.items()}


def _foreign(array: Array, classes: int) -> npt.NDArray[np.bool_]:
    """Return where an array has other values than the numbers of classes."""
    return np.asarray(~np.isin(array, np.arange(classes)))


def to_mask(array: Array, name: str) -> npt.NDArray[np.bool_]:
    """Return a mask, crack = True.

    Args:
        array: bool, 0 and 1, or 0 and one other value.
        name: what messages call it.

    Raises:
        UserError: it holds other values.

    >>> to_mask(np.array([[0, 255]]), "true").tolist()
    [[False, True]]
    """
    counts = _values({name: array})
    if counts is not None:
        crack = {255} if set(counts) == {255} else _crack_values(name, counts, 1)
        if crack:
            return np.asarray(np.isin(array, list(crack)))
    span = f"from {array.min()} to {array.max()}" if array.size else "without pixels"
    raise UserError(f"{name} contains {array.dtype} {span}, which is no mask: give bool, 0 and 1, or 0 and 255.")


def _values(arrays: Mapping[str, Array]) -> Counter[int] | None:
    """Return the pixels of each value if there are few and all are integers, else None."""
    counts: Counter[int] = Counter()
    for array in arrays.values():
        values, pixels = np.unique(array, return_counts=True)
        if len(values) > FEW or not np.isfinite(values).all() or (values != np.floor(values)).any():
            return None
        counts.update({int(value): int(count) for value, count in zip(values, pixels, strict=True)})
    return counts if len(counts) <= FEW else None


def _crack_values(origin: str, counts: Counter[int], classes: int) -> set[int]:
    """Return the values that are crack, or an empty set if the values are probabilities.

    Raises:
        UserError: the values are codes of unknown meaning.
    """
    values = set(counts)
    if values <= {0, 1}:
        return {1}
    if len(values) == 2 and 0 in values and min(values) == 0:
        return values - {0}
    if classes > 1 and values <= set(range(classes)):
        return values - {0}
    if len(values) > 1 and min(values) >= 0 and (0 in values or max(values) <= FEW):
        total = sum(counts.values())
        shares = ", ".join(f"{value} ({100 * counts[value] / total:.2f} %)" for value in sorted(values))
        numbers = f", or the numbers of classes, 0 to {classes - 1}" if classes > 1 else ""
        raise UserError(
            f"{origin} contains the values {shares}: codes, none of which is known to be crack. "
            f"Write masks of 0 and 1, or of 0 and 255, with crack above 0{numbers}."
        )
    return set()


def _probabilities(name: str, array: Array, highest: float) -> Levels:
    """Return probabilities as floor(256 p); ``highest`` is the maximum over all arrays.

    Raises:
        UserError: they are not probabilities.
    """
    if array.dtype == np.uint8:
        return np.asarray(array)
    if array.dtype == np.uint16 and highest > 255:
        return (array >> 8).astype(np.uint8)
    is_float = np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all()
    if is_float and array.min(initial=0) >= 0 and array.max(initial=0) <= 1:
        return quantise(array.astype(np.float32))
    span = f"from {array.min()} to {array.max()}" if array.size else "without pixels"
    raise UserError(
        f"{name} contains {array.dtype} {span}: write probabilities as float from 0 to 1 (after the sigmoid), as 8-bit "
        "grey, or as 16-bit grey with white at 65535, masks as bool, 0 and 1, or 0 and 255."
    )
