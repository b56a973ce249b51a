"""The images of a prepared split as they are scored: whole, their tiles put together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.data.tiles import Place, stitch
from bench.formats.prepared import Prepared

Array = npt.NDArray[np.uint8]
ReadLevels = Callable[[str, tuple[int, ...]], Array]
"""(name, size (H, W)) of an item -> floor(256 p), (H, W)."""


@dataclass(frozen=True)
class View:
    """An image of a prepared dataset.

    Attributes:
        name: of the pair.
        photo: its source image.
        rows: of the prepared arrays: one, or one per tile.
        places: top and left of each tile, px.
        mask: class of each pixel, 255 where ignored, (H, W).
    """

    name: str
    photo: str
    rows: list[int]
    places: list[Place]
    mask: Array


def view(data: Prepared, name: str) -> View:
    """Return an image, or a single tile, by its name.

    Raises:
        KeyError: there is neither.
    """
    items = data.items
    chosen = items[items["image"] == name]
    chosen = chosen if len(chosen) else items[items["item"] == name]
    if chosen.empty:
        raise KeyError(name)
    return _view(data, name, chosen)


def views(data: Prepared, split: str) -> Iterator[View]:
    """Yield the images of a split in the order of their first rows."""
    part = data.items.iloc[data.split(split)]
    for name, tiles in part.groupby("image", sort=False):
        yield _view(data, str(name), tiles)


def _view(data: Prepared, name: str, tiles: pd.DataFrame) -> View:
    rows = [int(row) for row in tiles.index]
    places = list(zip(tiles["top"].astype(int), tiles["left"].astype(int), strict=True))
    mask = whole(data, rows, places, [np.asarray(data.masks[row]) for row in rows])
    return View(name, str(tiles["photo"].iloc[0]), rows, places, mask)


def whole(data: Prepared, rows: list[int], places: list[Place], parts: list[Array]) -> Array:
    """Return the array (H, W) or (H, W, 3) of an image from those of its rows; of a single tile, the tile."""
    is_tiled = data.card["settings"].get("geometry", "squeeze") == "tiles"
    first = data.items.iloc[rows[0]]
    if not is_tiled or (first["item"] != first["image"] and len(rows) == 1):
        return parts[0]
    return stitch(parts, places, int(first["native_h"]), int(first["native_w"]))


def of_tiles(data: Prepared, read_levels: ReadLevels) -> Callable[[View], Array]:
    """Return what reads the prediction of a whole image from those of its items."""
    size = data.masks.shape[1:]

    def read(image: View) -> Array:
        names = data.items["item"].iloc[image.rows]
        return whole(data, image.rows, image.places, [read_levels(name, size) for name in names])

    return read
