"""Read a folder of predictions from any tool as probability levels, or refuse it with the name of the file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.data.decode import read_header
from bench.data.labels import read_stored
from bench.errors import UserError, shorten
from bench.formats import predictions, prepared
from bench.tools.levels import Array, Levels, are_classes, to_classes, to_levels

SUFFIXES = (".png", ".npy")
_UNREADABLE = (
    ValueError, EOFError, OSError, MemoryError, SyntaxError, TypeError, OverflowError, LookupError, TokenError,
)  # fmt: skip
Size = tuple[int, int]

MAX_PIXELS = 2**26
"""Most pixels of a prediction that is resized."""
MAX_HEADER = 10_000
"""Most bytes of an array's header, as in numpy, which reads the header before it refuses it."""


def read_predictions(folder: Path, data: prepared.Prepared, resize: bool = False) -> dict[str, Levels]:
    """Return floor(256 p) of every test item, uint8 (H, W); masks become 0 and 255.

    Args:
        folder: one PNG or NPY per test item; of a tiled dataset, either per tile or per whole image at its native size.
        data: the prepared dataset.
        resize: resize other sizes to the expected one, by the nearest pixel; one file at a time is held whole.

    Raises:
        UserError: files are missing, extra, unreadable, of another size, or contain ambiguous values.
    """
    return read_with_classes(folder, data, resize)[0]


def read_with_classes(
    folder: Path, data: prepared.Prepared, resize: bool = False
) -> tuple[dict[str, Levels], dict[str, Levels] | None]:
    """Return what `read_predictions` does, and the class of each pixel, uint8 (H, W).

    The classes are None if the dataset has one, or the files do not tell them: they are told by maps of class numbers,
    or by these in a folder ``classes``, as `bench predict` writes them. Files of only 0 and 1 may be masks.

    Raises:
        UserError: as `read_predictions`; or a file in ``classes`` contains other values than the numbers of classes.
    """
    arrays, by_item = _read(folder, data, resize)
    classes = int(data.card.get("classes", 1))
    levels = by_item(to_levels(arrays, str(folder), classes))
    if classes == 1:
        return levels, None
    if any((folder / predictions.CLASSES).glob("*")):
        arrays, by_item = _read(folder / predictions.CLASSES, data, resize)
    elif not any((array > 1).any() for array in arrays.values()) or not are_classes(arrays, classes):
        return levels, None
    return levels, by_item(to_classes(arrays, classes))


def _read(
    folder: Path, data: prepared.Prepared, resize: bool
) -> tuple[dict[str, Array], Callable[[dict[str, Levels]], dict[str, Levels]]]:
    """Return the numbers in the files by path, and what turns arrays by path into arrays by test item."""
    tests = data.items.iloc[data.split("test")]
    paths = _paths(folder)
    expected, is_whole = _expected(tests, paths, (data.masks.shape[1], data.masks.shape[2]), _is_tiled(data))
    _require_fit(folder, paths, expected, resize, f"{'images' if is_whole else 'items'} of {data.card['dataset']}")

    def by_item(of_path: dict[str, Levels]) -> dict[str, Levels]:
        arrays = {name: of_path[str(paths[name])] for name in expected}
        return _tiles(arrays, tests, data.masks.shape[1]) if is_whole else arrays

    return {str(paths[name]): _fitted(paths[name], size, resize) for name, size in expected.items()}, by_item


def _is_tiled(data: prepared.Prepared) -> bool:
    return bool(data.card["settings"].get("geometry") == "tiles")


def _expected(
    tests: pd.DataFrame, paths: Mapping[str, Path], size: Size, is_tiled: bool
) -> tuple[dict[str, Size], bool]:
    """Return {name: size (h, w)} of the expected predictions, and whether they are whole images cut into tiles.

    Predictions of a tiled dataset are whole images if more names, or else more sizes, fit the images than the tiles.
    """
    items: dict[str, Size] = dict.fromkeys(tests["item"], size)
    if not is_tiled:
        return items, False
    native = zip(tests["native_h"].astype(int), tests["native_w"].astype(int), strict=True)
    images: dict[str, Size] = dict(zip(tests["image"], native, strict=True))
    sizes = {name: read_size(path) for name, path in paths.items() if name in items or name in images}

    def fit(names: Mapping[str, Size]) -> tuple[int, int]:
        return len(names.keys() & sizes.keys()), sum(sizes.get(name) == of_name for name, of_name in names.items())

    is_whole = fit(images) > fit(items)
    return images if is_whole else items, is_whole


def _require_fit(
    folder: Path, paths: Mapping[str, Path], expected: Mapping[str, Size], resize: bool, kind: str
) -> None:
    """Raise a UserError if predictions are missing, extra or of another size."""
    missing, extra = sorted(expected.keys() - paths.keys()), sorted(paths.keys() - expected.keys())
    faults = [f"missing: {shorten([f'{name}.png' for name in missing])}"] if missing else []
    faults += [f"no test item: {shorten([paths[name].name for name in extra])}"] if extra else []
    wrong: dict[Size, list[str]] = {}
    for name, size in expected.items():
        if name not in paths or (actual := read_size(paths[name])) == size:
            continue
        if actual[0] * actual[1] > MAX_PIXELS:
            faults.append(f"{paths[name].name} has {actual[1]}x{actual[0]} px, more than are resized ({MAX_PIXELS})")
        else:
            wrong.setdefault(size, []).append(f"{paths[name].name} ({actual[1]}x{actual[0]} px)")
    if not resize:
        hint = "(`--resize nearest` resizes them)"
        faults += [f"not {w}x{h} px: {shorten(names)} {hint}" for (h, w), names in list(wrong.items())[:3]]
    if faults:
        raise UserError(
            f"{folder} does not fit the {len(expected)} test {kind}; {'; '.join(faults)}. "
            "Name each file after a row with split `test` in items.csv of the prepared dataset: its `item`, or with "
            "`prepare.geometry: tiles` also its `image`, for whole images of native_h x native_w px."
        )


def _tiles(wholes: Mapping[str, Levels], tests: pd.DataFrame, side: int) -> dict[str, Levels]:
    """Return the tiles of whole images by item; beyond the edge of an image its last pixels are repeated."""
    tiles = {}
    for item, image, top, left in zip(tests["item"], tests["image"], tests["top"], tests["left"], strict=True):
        part = wholes[image][int(top) : int(top) + side, int(left) : int(left) + side]
        tiles[item] = np.pad(part, ((0, side - part.shape[0]), (0, side - part.shape[1])), mode="edge")
    return tiles


def _paths(folder: Path) -> dict[str, Path]:
    """Return the predictions in a folder by the names of their items."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder with one prediction per test item.")
    paths: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
            if path.stem in paths:
                raise UserError(f"{path} and {paths[path.stem].name} are for the same item: keep one of them.")
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
        raise UserError(f"{path} contains {str(array.dtype)[:80]}: one number per pixel is expected.")
    shape = tuple(side for side in array.shape if side != 1) if array.ndim > 2 else array.shape
    if len(shape) != 2:
        raise UserError(f"{path} has shape {array.shape}: one grey or boolean value per pixel is expected.")
    return shape[0], shape[1]


def _open_array(path: Path) -> npt.NDArray[Any]:
    """Return an array whose numbers are read on use."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
        header = int.from_bytes(start[8:10] if start[6:7] == b"\1" else start[8:12], "little")
        if header > MAX_HEADER:
            raise ValueError(f"its header has {header} bytes")
        with np.errstate(over="ignore"):
            array: npt.NDArray[Any] = np.lib.format.open_memmap(path, "r")
        return array
    except _UNREADABLE as error:
        raise UserError(f"{path} is not a readable array ({str(error)[:200]}): write it with numpy.save.") from None


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
        raise UserError(f"{path} is not a readable PNG: write it again.")
    return np.asarray(decoded) if decoded.ndim == 2 else read_stored(path).values


def _fitted(path: Path, size: Size, resize: bool) -> npt.NDArray[Any]:
    """Return a prediction in a size, by the pixels nearest to the centres.

    Raises:
        UserError: it is unreadable, or of another size than its header says, and is not to be resized.
    """
    array = read_one(path)
    if array.shape == size:
        return array
    if not resize:
        raise UserError(f"{path} is {array.shape[1]}x{array.shape[0]} px when it is turned upright: save it upright.")
    rows, columns = (
        cv2.resize(np.arange(has, dtype=np.int32)[:, None], (1, wanted), interpolation=cv2.INTER_NEAREST_EXACT)
        for has, wanted in zip(array.shape, size, strict=True)
    )
    return np.asarray(array[rows, columns[:, 0]])
