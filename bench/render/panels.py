"""Figures 4, 5, 7 and 8 of the paper: panels of images, masks, predictions and gates."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from scipy import ndimage

from bench.render import style

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

TRANSFORMS = {
    "horizontal_flip_p": "horizontal flip", "vertical_flip_p": "vertical flip", "quarter_turn_p": "quarter turn",
    "affine_p": "shift, scale, rotate", "noise_p": "Gaussian noise", "jitter_p": "colour jitter",
}  # fmt: skip

OUTCOMES = {"found (TP)": "#004488", "false alarm (FP)": "#FFDD44", "missed (FN)": "#DD2266"}
"""Distinct in greyscale too: dark, light and medium; the faded image below has none of these greys."""

HATCH = "#7A7A7A"
"""Colour of the hatches of ignored pixels, visible on black and on white."""

NEAR_PX = 2
"""A crack pixel is missed if nothing is predicted within this distance, px."""
LEAST_PX = 12
"""Smallest missed piece that gets a box, pixels."""

WIDEST = 1.4
"""Maximum side of a panel, inches: images of 448 px gain nothing beyond."""

LEFT, GAP = 0.16, 0.03
"""Space for the name of a row, and between panels, inches."""

MASK: Any = {"cmap": "gray", "vmin": 0, "vmax": 1}

RC = style.RC | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}


@matplotlib.rc_context(RC)
def augmentations(rows: Sequence[tuple[str, Sequence[Image], Sequence[Mask]]]) -> Figure:
    """Return a row per transform and a column per image: the images above, their masks below.

    Args:
        rows: name of the transform, images (H, W, 3) and their masks (H, W); the first row holds the originals.
    """
    columns = len(rows[0][1])
    side = (style.COLUMN - LEFT) / columns - GAP
    lines = [pair for _, *pairs in rows for pair in pairs]
    figure, axes = _grid(len(lines), columns, side, pairs=True)
    for line, images in zip(axes, lines, strict=True):
        for axis, image in zip(line, images, strict=True):
            axis.imshow(image, **MASK if image.dtype == bool else {})
    for line, (title, *_) in zip(axes[::2], rows, strict=True):
        line[0].set_ylabel(title, y=-GAP / 2 / side, fontsize=6.5)
    return figure


@matplotlib.rc_context(RC)
def comparison(
    rows: Sequence[tuple[str, Image, Mask, Sequence[Mask | None]]], models: Sequence[str], ignored: Sequence[Mask] = ()
) -> Figure:
    """Return a row per dataset: image, ground truth, one prediction per model.

    In the panels of all models but the first, boxes mark the pieces of crack that only the first model detects.

    Args:
        rows: dataset, image (H, W, 3), truth (H, W), predictions in the order of ``models``; None for a missing cell.
        models: names; the first is compared with the others.
        ignored: pixels of each row that do not count, hatched over the ground truth; empty: none.
    """
    columns = 2 + len(models)
    figure, axes = _grid(len(rows), columns, _side(len(rows), columns), above=0.16)
    for line, (name, image, true, masks) in zip(axes, rows, strict=True):
        line[0].imshow(image)
        line[0].set_ylabel(name, fontsize=6.5)
        line[1].imshow(true, **MASK)
        for place, (axis, mask) in enumerate(zip(line[2:], masks, strict=True)):
            if mask is None:
                axis.text(0.5, 0.5, "not run", ha="center", va="center", transform=axis.transAxes, color="#666666")
                continue
            axis.imshow(mask, **MASK)
            if place and masks[0] is not None:
                for x, y, width, height in missed_pieces(true, masks[0], mask):
                    axis.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor="#EE3333", linewidth=0.9))
    for line, mask in zip(axes, ignored, strict=False):
        _hatch(line[1], mask)
    for axis, title in zip(axes[0], ["Image", "Ground truth", *models], strict=True):
        axis.set_title(title, fontsize=6.5)
    return figure


@matplotlib.rc_context(RC)
def gates(rows: Sequence[tuple[str, Image, Mask, Sequence[Image], Mask]], ignored: Sequence[Mask] = ()) -> Figure:
    """Return a row per dataset: image, RFEM's gates over it from coarse to fine, prediction, ground truth.

    Args:
        rows: dataset, image (H, W, 3), truth (H, W), gates (h, w) with 0 closed and 255 open, prediction (H, W).
        ignored: pixels of each row that do not count, hatched over the ground truth; empty: none.
    """
    scales = len(rows[0][3])
    figure, axes = _grid(len(rows), 3 + scales, _side(len(rows), 3 + scales), above=0.16, below=0.42)
    drawn: Any = None
    for line, (name, image, true, maps, predicted) in zip(axes, rows, strict=True):
        line[0].imshow(image)
        line[0].set_ylabel(name, fontsize=6.5)
        for axis, gate in zip(line[1:], maps, strict=False):
            drawn = _overlay(axis, image, gate)
        line[-2].imshow(predicted, **MASK)
        line[-1].imshow(true, **MASK)
    for line, mask in zip(axes, ignored, strict=False):
        _hatch(line[-1], mask)
    shares = [f"gate at 1/{rows[0][1].shape[0] // g.shape[0]}" for g in rows[0][3]]
    for axis, title in zip(axes[0], ["Image", *shares, "Prediction", "Ground truth"], strict=True):
        axis.set_title(title, fontsize=6.5)
    width, height = figure.get_size_inches()
    place = figure.add_axes((LEFT / width, 0.3 / height, 1 - (LEFT + 0.1) / width, 0.08 / height))
    bar = figure.colorbar(drawn, cax=place, orientation="horizontal")
    bar.set_label("factor applied to the skip connection (1: unchanged)", fontsize=6.5, labelpad=1)
    return figure


def _overlay(axis: Any, image: Image, gate: Image) -> Any:
    """Draw a gate over the grey image; return the drawn gate."""
    height, width = image.shape[:2]
    axis.imshow(image.mean(-1), cmap="gray", vmin=0, vmax=255)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    drawn = axis.imshow(gate / 255, cmap="inferno", vmin=0, vmax=1, alpha=0.65, extent=extent)
    axis.set(xlim=extent[:2], ylim=extent[2:])
    return drawn


@matplotlib.rc_context(RC)
def failures(rows: Sequence[tuple[str, Image, Mask, Mask, str]], ignored: Sequence[Mask] = ()) -> Figure:
    """Return the worst image of each dataset, beside its true positives, false positives and false negatives.

    Args:
        rows: title, image (H, W, 3), truth (H, W), prediction (H, W), likely cause.
        ignored: pixels of each row that do not count, hatched and in no colour; empty: none.
    """
    wide = min(len(rows), 2 if len(rows) <= 6 else 3)
    high = -(-len(rows) // wide)
    side = min(style.PAGE / (2 * wide), 1.8) - GAP
    texts = [[line for part in row[-1].splitlines() for line in wrap(part, int(38 * side))] for row in rows]
    below = 0.06 + 0.1 * max(map(len, texts))
    figure, axes = _grid(high, 2 * wide, side, above=0.16, below=below + 0.2, left=GAP, between=below)
    pairs = axes.reshape(high * wide, 2)
    for (left, right), (title, image, true, predicted, _), lines in zip(pairs, rows, texts, strict=False):
        left.imshow(image)
        left.set_title(title, fontsize=6.5, loc="left")
        right.imshow(_outcomes(image, true, predicted))
        left.set_xlabel("\n".join(lines), fontsize=6, loc="left", labelpad=2)
    for (_, right), mask in zip(pairs, ignored, strict=False):
        _hatch(right, mask)
    for axis in pairs[len(rows) :].ravel():
        axis.set_visible(False)
    handles = [Patch(facecolor=colour, edgecolor="#666666", linewidth=0.4, label=k) for k, colour in OUTCOMES.items()]
    if any(mask.any() for mask in ignored):
        handles.append(Patch(facecolor="white", edgecolor=HATCH, hatch="/////", linewidth=0.4, label="ignored"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), borderaxespad=0)
    return figure


def _hatch(axis: Any, ignored: Mask) -> None:
    """Hatch the pixels that do not count."""
    if ignored.any():
        drawn = axis.contourf(ignored, levels=[0.5, 1.5], colors="none", hatches=["/////"])
        drawn.set(edgecolor=HATCH, linewidth=0)


def missed_pieces(true: Mask, finds: Mask, misses: Mask) -> list[tuple[float, float, float, float]]:
    """Return boxes (x, y, width, height) around connected pieces of crack detected in ``finds``, missed in ``misses``.

    A pixel counts as missed if ``misses`` has nothing within ``NEAR_PX`` px.

    >>> true = np.zeros((20, 40), bool); true[10, 5:35] = True
    >>> missed_pieces(true, true, np.zeros_like(true))
    [(2.5, 7.5, 34.0, 5.0)]
    >>> missed_pieces(true, true, true)
    []
    """
    near = ndimage.distance_transform_edt(~misses) <= NEAR_PX if misses.any() else misses
    pieces, _ = ndimage.label(true & finds & ~near, structure=np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())
    boxes = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(pieces), start=1):
        if sizes[number] >= LEAST_PX:
            x, y = columns.start - 2.5, rows.start - 2.5
            boxes.append((x, y, float(columns.stop + 1.5 - x), float(rows.stop + 1.5 - y)))
    return boxes


def _outcomes(image: Image, true: Mask, predicted: Mask) -> npt.NDArray[np.float64]:
    """Return the image, faded to grey, with TP, FP and FN painted over it, 0 to 1, (H, W, 3)."""
    painted = np.repeat(image.mean(-1, keepdims=True) / 255 * 0.3 + 0.5, 3, axis=-1)
    for mask, colour in zip((true & predicted, predicted & ~true, true & ~predicted), OUTCOMES.values(), strict=True):
        painted[mask] = matplotlib.colors.to_rgb(colour)
    return np.asarray(painted, np.float64)


def _side(rows: int, columns: int) -> float:
    """Return the side of a panel, inches, so that the figure fits on a page."""
    return min((style.PAGE - LEFT) / columns, WIDEST, (style.DEPTH - 0.6) / rows) - GAP


def _grid(
    rows: int, columns: int, side: float, above: float = 0.0, below: float = 0.0, left: float = LEFT,
    between: float = 0.0, pairs: bool = False,
) -> tuple[Figure, Any]:  # fmt: skip
    """Return a figure of square panels without ticks, (rows, columns), at fixed positions.

    Args:
        rows: number of rows of panels.
        columns: number of columns of panels.
        side: side of a panel, inches; as all lengths here.
        above: space above each row if ``between`` is given, else above the first row only.
        below: space below the last row.
        left: space to the left of the panels.
        between: space below each row.
        pairs: whether to group rows in pairs, with extra space between pairs.
    """
    step = side + GAP + (above + between if between else 0)
    tops = [(0.0 if between else above) + row * step + (above if between else 0) for row in range(rows)]
    tops = [top + 2 * GAP * (row // 2) for row, top in enumerate(tops)] if pairs else tops
    width, height = left + columns * (side + GAP), tops[-1] + side + GAP + below
    figure = Figure(figsize=(width, height))
    axes = np.empty((rows, columns), object)
    for row, top in enumerate(tops):
        for column in range(columns):
            place = (left + column * (side + GAP)) / width, 1 - (top + side) / height, side / width, side / height
            axes[row, column] = figure.add_axes(place, xticks=[], yticks=[])
    return figure, axes
