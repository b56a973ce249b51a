"""Measure how wide cracks are labelled, and how wide the image shows them."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from skimage.morphology import skeletonize

from bench.data.dataset import Pair
from bench.data.images import read_mask
from bench.errors import UserError
from bench.formats.prepared import IGNORED
from bench.render.tables import Table

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

COLUMNS = ("label_width_px", "image_width_px", "visible")
"""Findings on one pair: medians over points of the centreline, NaN without crack. visible: share of the points at which
the image is dark enough for a width; with less than half of them, that of the image is NaN."""

POINTS = 200
"""Points of the centreline, evenly spaced, at which widths are measured."""

STEP_PX = 0.25
REACH_PX = 10.0
"""Length of a profile on each side of the label."""

WIDEST_PX = 100.0
"""Widest label that is measured; wider ones count as this wide."""

ALONG_PX = (-2, -1, 0, 1, 2)
"""Positions along the crack over which the grey levels of a profile are averaged."""

LEAST_DEPTH = 8.0
"""Least difference of grey levels between background and crack for a width."""


def measure(pair: Pair, image: npt.NDArray[np.uint8] | None, classes: int, coded: bool) -> dict[str, Any]:
    """Return ``COLUMNS`` of a pair; NaN where it cannot be read, or where image and mask differ in size."""
    nothing = dict.fromkeys(COLUMNS, float("nan"))
    if image is None:
        return nothing
    try:
        mask = read_mask(pair.mask, classes, coded)
    except UserError:
        return nothing
    crack = mask > 127 if classes == 1 and not coded else (mask > 0) & (mask != IGNORED)
    return dict(zip(COLUMNS, widths(image, crack), strict=True)) if crack.shape == image.shape[:2] else nothing


def table(inspected: Mapping[str, pd.DataFrame]) -> Table:
    """Return the widths of labels and of cracks in the images of each dataset; the frames have ``COLUMNS``."""
    rows = []
    for name, frame in inspected.items():
        seen = frame.dropna(subset=list(COLUMNS))
        label, image = seen["label_width_px"], seen["image_width_px"]
        rows.append(
            {
                "Dataset": name, "Images": len(seen), "Label px": label.median(), "Image px": image.median(),
                "Label / image": (label / image).median(),
                "Over 1 px off %": 100 * ((label - image).abs() > 1).mean() if len(seen) else np.nan,
                "Visible %": 100 * frame["visible"].where(frame["label_width_px"].notna()).mean(),
            }
        )  # fmt: skip
    digits = {"Label px": 1, "Image px": 1, "Label / image": 2, "Over 1 px off %": 0, "Visible %": 0}
    notes = [
        "Medians over images of the medians along each centreline. Image: width of the dark valley at half its depth, "
        "where it is over 8 grey levels deep and three times the spread of the background; Visible: share of such "
        "points; images with less than half of them are left out. A label as wide as the crack has the ratio 1.",
    ]
    return Table("width", "Width of the labels, and of the cracks in the images.", pd.DataFrame(rows), digits, notes)


def widths(image: npt.NDArray[np.uint8], crack: Mask) -> tuple[float, float, float]:
    """Return ``COLUMNS`` of an image (H, W, 3) and its label (H, W).

    At each point the label and the grey levels are read across the crack. The width of the label is how far it reaches;
    that in the image is the width of the dark valley at half its depth below the background. The depth must be over
    ``LEAST_DEPTH`` grey levels and three times the spread of the background; bright cracks are not measured.
    """
    points, normals = _points(crack)
    if not len(points):
        return float("nan"), float("nan"), 0.0
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    half = min(WIDEST_PX / 2, float(cv2.distanceTransform(crack.astype(np.uint8), cv2.DIST_L2, 5).max()))
    offsets = np.arange(-half - REACH_PX, half + REACH_PX + STEP_PX / 2, STEP_PX, dtype=np.float32)
    labels = _profiles(crack.astype(np.float32), points, normals, offsets, (0,)) >= 0.5
    levels = _profiles(grey, points, normals, offsets, ALONG_PX)
    found = np.array([_width(*pair) for pair in zip(levels, labels, strict=True)])
    seen = found[np.isfinite(found[:, 1])]
    of_image = float(np.median(seen[:, 1])) if 2 * len(seen) >= len(found) else float("nan")
    return float(np.median(found[:, 0])), of_image, len(seen) / len(found)


def _points(crack: Mask) -> tuple[Array, Array]:
    """Return points of the centreline, (N, 2) as row and column, and the directions across the crack, (N, 2)."""
    points = np.argwhere(skeletonize(crack))  # type: ignore[no-untyped-call]
    points = points[np.linspace(0, len(points) - 1, min(POINTS, len(points))).astype(int)]
    smooth = cv2.GaussianBlur(crack.astype(np.float32), (0, 0), 1.5)
    down, right = (np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order)) for order in ((0, 1), (1, 0)))
    moments = [cv2.GaussianBlur(product, (0, 0), 3) for product in (down * down, down * right, right * right)]
    squares, mixed, others = (np.asarray(moment)[tuple(points.T)] for moment in moments)
    angle = 0.5 * np.arctan2(2 * mixed, squares - others)  # of the axis along which the label changes most
    return points.astype(np.float32), np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def _profiles(values: Array, points: Array, normals: Array, offsets: Array, along: tuple[int, ...]) -> Array:
    """Return values across the crack, (N, T), averaged over the positions along it; bilinear, edges are repeated."""
    tangents = np.stack([-normals[:, 1], normals[:, 0]], 1)
    parts = []
    for shift in along:
        at = points[:, None] + shift * tangents[:, None] + offsets[None, :, None] * normals[:, None]
        rows, columns = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
        parts.append(cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return np.asarray(np.mean(parts, 0), np.float32)


def _width(levels: Array, label: Mask) -> tuple[float, float]:
    """Return the widths of the label and of the dark valley at one point, px; NaN where none is visible."""
    middle = len(label) // 2
    first, last = _run(label, middle)
    margin = round(2 / STEP_PX)  # the label may be beside the crack
    near = slice(max(0, first - margin), last + 1 + margin)
    bottom = near.start + int(np.argmin(levels[near]))
    ground = np.concatenate([levels[: near.start], levels[near.stop :]])
    label_px = (last - first + 1) * STEP_PX
    if len(ground) < REACH_PX / STEP_PX:  # the label fills the profile, as where cracks cross
        return label_px, float("nan")
    level = float(np.median(ground))
    depth = level - float(levels[bottom])
    spread = 1.4826 * float(np.median(np.abs(ground - level)))
    if depth < max(LEAST_DEPTH, 3 * spread):
        return label_px, float("nan")
    left, right = _run(levels < level - depth / 2, bottom)
    return label_px, (right - left + 1) * STEP_PX


def _run(is_set: Mask, middle: int) -> tuple[int, int]:
    """Return the first and the last place of the run of set values around a place; the place itself if it is not."""
    gaps = np.flatnonzero(~is_set)
    before, after = gaps[gaps < middle], gaps[gaps > middle]
    if not is_set[middle]:
        return middle, middle
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) - 1 if len(after) else len(is_set) - 1)
