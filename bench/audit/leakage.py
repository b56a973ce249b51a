"""Measure how much of a test split was seen in training, by file name and by image content."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

GRID = 64
"""Cells per side of the grid on which the parts of an image are counted."""
WHOLE = (0.0, 0.0, 1.0, 1.0)
SIDES = ("left", "top", "right", "bottom")


def links_by_content(duplicates: pd.DataFrame, crops: pd.DataFrame) -> pd.DataFrame:
    """Return each finding in both directions: columns a, b, kind, and the part of a that b shows (``SIDES``).

    A duplicate shows the whole image; a pair found both as duplicate and as crop counts as a duplicate.
    """
    known = set(zip(duplicates["a"], duplicates["b"], strict=True))
    rows = [[x, y, "duplicate", *WHOLE] for a, b in sorted(known) for x, y in ((a, b), (b, a))]
    for crop in crops.to_dict("records"):
        a, b = crop["a"], crop["b"]
        if (a, b) not in known:
            rows.append([a, b, "crop", *(crop[f"a_{side}"] for side in SIDES)])
            rows.append([b, a, "crop", *(crop[f"b_{side}"] for side in SIDES)])
    return pd.DataFrame(rows, columns=["a", "b", "kind", *SIDES])


def links_by_names(items: Sequence[str], photos: Sequence[str]) -> pd.DataFrame:
    """Return the links between items whose names state their crop box, in the columns of `links_by_content`.

    Such a name ends in photo_top_left_height_width, in px of the source image.
    """
    boxes: dict[str, list[tuple[int, int, int, int, int]]] = {}
    for position, (item, photo) in enumerate(zip(items, photos, strict=True)):
        match = re.fullmatch(rf".*{re.escape(photo)}_(\d+)_(\d+)_(\d+)_(\d+)", item)
        if match:
            top, left, height, width = (int(number) for number in match.groups())
            if height and width:
                boxes.setdefault(photo, []).append((position, left, top, left + width, top + height))
    rows = [
        [a[0], b[0], "name", *part]
        for crops in boxes.values()
        for a in crops
        for b in crops
        if a[0] != b[0] and (part := _common(a[1:], b[1:])) is not None
    ]
    return pd.DataFrame(rows, columns=["a", "b", "kind", *SIDES])


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[float, ...] | None:
    """Return the part of box a (left, top, right, bottom) that box b covers, 0 to 1; None if they do not overlap."""
    width, height = a[2] - a[0], a[3] - a[1]
    low = max(a[0], b[0]), max(a[1], b[1])
    high = min(a[2], b[2]), min(a[3], b[3])
    if high[0] <= low[0] or high[1] <= low[1]:
        return None
    return (low[0] - a[0]) / width, (low[1] - a[1]) / height, (high[0] - a[0]) / width, (high[1] - a[1]) / height


def leakage(split: Sequence[str], photos: Sequence[str], links: pd.DataFrame) -> dict[str, float]:
    """Return how much of the test items was seen in training.

    Args:
        split: "train", "validation" or "test" of each item.
        photos: source image of each item, according to its name.
        links: positions a, b and the part of a that b shows.

    Returns:
        In percent; NaN without test items. photo_by_name_pct: test items whose source image is in training according
        to the names; photo_pct: according to names or links; pixels_pct: pixels of the test items that training items
        show.
    """
    tests = [i for i, part in enumerate(split) if part == "test"]
    trains = {i for i, part in enumerate(split) if part == "train"}
    if not tests:
        return dict.fromkeys(("photo_by_name_pct", "photo_pct", "pixels_pct"), float("nan"))
    seen_photos = {photos[i] for i in trains}
    named = {i for i in tests if photos[i] in seen_photos}
    across = links[links["a"].isin(tests) & links["b"].isin(trains)]
    linked = set(across["a"])
    covered = sum(coverage(group[list(SIDES)].to_numpy(float)) for _, group in across.groupby("a"))
    return {
        "photo_by_name_pct": 100 * len(named) / len(tests),
        "photo_pct": 100 * len(named | linked) / len(tests),
        "pixels_pct": 100 * covered / len(tests),
    }


def coverage(parts: npt.NDArray[np.float64]) -> float:
    """Return the share of an image that lies in at least one of the parts (n, 4), on a grid of 64 x 64.

    >>> coverage(np.array([[0.0, 0.0, 0.5, 1.0], [0.25, 0.0, 0.75, 1.0]]))
    0.75
    """
    cells = np.zeros((GRID, GRID), bool)
    for left, top, right, bottom in np.round(parts * GRID).astype(int):
        cells[top:bottom, left:right] = True
    return float(cells.mean())
