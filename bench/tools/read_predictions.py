"""Read a folder of predictions made by any tool as probability levels, or refuse it by name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bench.data.decode import read_header
from bench.data.labels import read_stored
from bench.errors import UserError, shorten
from bench.formats import predictions, prepared

SUFFIXES = (".png", ".npy")
_UNREADABLE = (
    ValueError, EOFError, OSError, MemoryError, SyntaxError, TypeError, OverflowError, LookupError, TokenError,
)  # fmt: skip
FEW = 8
"""Predictions with more distinct integers, over all files, are probabilities; with fewer they are codes."""

Levels = npt.NDArray[np.uint8]


def read_predictions(folder: Path, data: prepared.Prepared, resize: bool = False) -> dict[str, Levels]:
    """Return floor(256 p) of every test item, uint8 (H, W); masks become 0 and 255.

    Args:
        folder: one PNG or NPY per test item.
        data: the prepared dataset.
        resize: resize other sizes to that of the prepared masks, by the nearest pixel.

    Raises:
        UserError: files are missing, extra, unreadable, of another size, or hold values that could mean several things.
    """
    items = list(data.items["item"].iloc[data.split("test")])
    paths = _paths(folder)
    size = (data.masks.shape[1], data.masks.shape[2])
    missing, extra = sorted(set(items) - paths.keys()), sorted(paths.keys() - set(items))
    faults = [f"missing: {shorten([f'{name}.png' for name in missing])}"] if missing else []
    faults += [f"no test item: {shorten([paths[name].name for name in extra])}"] if extra else []
    sizes = {name: read_size(paths[name]) for name in items if name in paths}
    wrong = [f"{paths[n].name} ({w}x{h} px)" for n, (h, w) in sizes.items() if (h, w) != size]
    if wrong and not resize:
        faults += [f"not {size[1]}x{size[0]} px: {shorten(wrong)} (`--resize nearest` resizes them)"]
    if faults:
        raise UserError(
            f"{folder} does not fit the {len(items)} test items of {data.card['dataset']}; {'; '.join(faults)}. "
            "Their names are those marked `test` in items.csv of the prepared dataset."
        )
    arrays = {name: read_one(paths[name]) for name in items}
    levels = _levels(paths, arrays, int(data.card.get("classes", 1)))
    return {name: _resized(array, size) for name, array in levels.items()}


def _paths(folder: Path) -> dict[str, Path]:
    """Return the predictions in a folder by the names of their items."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name the one that holds a prediction for each test item.")
    paths: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            if path.stem in paths:
                raise UserError(f"{path} and {paths[path.stem].name} are of the same item: keep one of them.")
            paths[path.stem] = path
    return paths


def read_size(path: Path) -> tuple[int, int]:
    """Return height and width of a prediction from its header.

    Raises:
        UserError: it is unreadable, or not one number per pixel.
    """
    if path.suffix.lower() != ".npy":
        return read_header(path)[:2]
    array = _open_array(path)
    if array.dtype.names or array.dtype.kind not in "biuf":
        raise UserError(f"{path} holds {str(array.dtype)[:80]}: one number per pixel is expected.")
    shape = tuple(side for side in array.shape if side != 1) if array.ndim > 2 else array.shape
    if len(shape) != 2:
        raise UserError(f"{path} has shape {array.shape}: one grey or boolean value per pixel is expected.")
    return shape[0], shape[1]


def _open_array(path: Path) -> npt.NDArray[Any]:
    """Return an array whose numbers are read on use."""
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array
    except _UNREADABLE as error:
        raise UserError(f"{path} is no readable array ({str(error)[:200]}): write it with numpy.save.") from None


def read_one(path: Path) -> npt.NDArray[Any]:
    """Return the numbers of a prediction, (H, W).

    Raises:
        UserError: it is unreadable or has several channels.
    """
    if path.suffix.lower() == ".npy":
        read_size(path)
        array = np.array(_open_array(path))
        return array.reshape([side for side in array.shape if side != 1]) if array.ndim > 2 else array
    decoded = predictions.decode(path)  # it verifies checksums, which Pillow does not
    if decoded is None:
        raise UserError(f"{path} is no readable PNG: write it again.")
    return np.asarray(decoded) if decoded.ndim == 2 else read_stored(path).values


def _levels(paths: Mapping[str, Path], arrays: Mapping[str, npt.NDArray[Any]], classes: int) -> dict[str, Levels]:
    """Return floor(256 p) of arrays that one tool wrote.

    Raises:
        UserError: they are no probabilities, and no masks of 0 and one other value.
    """
    counts = _values(arrays)
    first = next(iter(arrays), "")
    if counts is not None:
        crack = _crack_values(paths[first].parent, counts, classes)
        if crack:
            return {name: np.where(np.isin(a, list(crack)), 255, 0).astype(np.uint8) for name, a in arrays.items()}
    highest = max((float(a.max(initial=0)) for a in arrays.values()), default=0.0)
    return {name: _probabilities(paths[name], array, highest) for name, array in arrays.items()}


def _values(arrays: Mapping[str, npt.NDArray[Any]]) -> Counter[int] | None:
    """Return the pixels of each value if there are few and all are integers, else None."""
    counts: Counter[int] = Counter()
    for array in arrays.values():
        values, pixels = np.unique(array, return_counts=True)
        if len(values) > FEW or not np.isfinite(values).all() or (values != np.floor(values)).any():
            return None
        counts.update({int(value): int(count) for value, count in zip(values, pixels, strict=True)})
    return counts if len(counts) <= FEW else None


def _crack_values(folder: Path, counts: Counter[int], classes: int) -> set[int]:
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
        raise UserError(
            f"{folder} holds the values {shares}: codes, of which none is known to be crack. "
            "Write masks of 0 and 1, or of 0 and 255, with crack above 0."
        )
    return set()


def _probabilities(path: Path, array: npt.NDArray[Any], highest: float) -> Levels:
    """Return probabilities as floor(256 p); ``highest`` is the maximum over all files.

    Raises:
        UserError: they are no probabilities.
    """
    if array.dtype == np.uint8:
        return np.asarray(array)
    if array.dtype == np.uint16 and highest > 255:
        return (array >> 8).astype(np.uint8)
    is_float = np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all()
    if is_float and array.min(initial=0) >= 0 and array.max(initial=0) <= 1:
        return predictions.quantise(array.astype(np.float32))
    span = f"from {array.min()} to {array.max()}" if array.size else "of no pixels"
    raise UserError(
        f"{path} holds {array.dtype} {span}: write probabilities as float from 0 to 1 (after the sigmoid), as 8-bit "
        "grey, or as 16-bit grey with white at 65535, masks as bool, 0 and 1, or 0 and 255."
    )


def _resized(levels: Levels, size: Sequence[int]) -> Levels:
    if levels.shape == tuple(size):
        return levels
    return np.asarray(cv2.resize(levels, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
