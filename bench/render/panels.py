"""Figures 4, 5, 7 and 8 of the paper: panels of photographs, masks, predictions and gates."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch, Rectangle
from scipy import ndimage

from bench.render import style

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

TRANSFORMS = {
    "horizontal_flip_p": "horizontal flip", "vertical_flip_p": "vertical flip", "quarter_turn_p": "quarter turn",
    "affine_p": "shift, scale, rotate", "noise_p": "Gaussian noise", "jitter_p": "colour jitter",
}  # fmt: skip

OUTCOMES = {"found (TP)": "#0077BB", "false alarm (FP)": "#EE7733", "missed (FN)": "#EE3377"}

NEAR_PX = 2
LEAST_PX = 12
"""A piece is missed where no prediction lies within NEAR_PX px; pieces of fewer than LEAST_PX pixels get no box."""

WIDEST = 1.4
"""Side of a panel at most, inch: photographs of 448 px have no more to show."""

RC = style.RC | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}


@matplotlib.rc_context(RC)
def augmentations(shown: Sequence[tuple[str, Image, Mask]]) -> Figure:
    """Return one column per transform, image above, mask below; the first one is the original."""
    side = style.PAGE / len(shown)
    figure, axes = _grid(2, len(shown), style.PAGE, 2 * side + 0.25)
    for (top, bottom), (title, image, mask) in zip(axes.T, shown, strict=True):
        top.imshow(image)
        bottom.imshow(mask, cmap="gray", vmin=0, vmax=1)
        top.set_title(title, fontsize=6.5)
    return figure


@matplotlib.rc_context(RC)
def comparison(
    rows: Sequence[tuple[str, Image, Mask, Sequence[Mask | None]]], models: Sequence[str], boxes: bool
) -> Figure:
    """Return a row per dataset: photograph, truth, one prediction per model.

    Args:
        rows: dataset, photograph (H, W, 3), truth (H, W), predictions in the order of ``models``, None: not run.
        models: names; the first is the one compared.
        boxes: whether to box, in each other model's panel, the pieces that it misses and the first model finds.
    """
    columns = 2 + len(models)
    side = min(style.PAGE / columns, WIDEST)
    figure, axes = _grid(len(rows), columns, side * columns, len(rows) * side + 0.25)
    for line, (name, image, true, masks) in zip(axes, rows, strict=True):
        line[0].imshow(image)
        line[0].set_ylabel(name, fontsize=6.5)
        line[1].imshow(true, cmap="gray", vmin=0, vmax=1)
        for place, (axis, mask) in enumerate(zip(line[2:], masks, strict=True)):
            if mask is None:
                axis.text(0.5, 0.5, "not run", ha="center", va="center", transform=axis.transAxes, color="#666666")
                continue
            axis.imshow(mask, cmap="gray", vmin=0, vmax=1)
            if boxes and place and masks[0] is not None:
                for x, y, width, height in missed_pieces(true, masks[0], mask):
                    axis.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor="#EE3333", linewidth=0.9))
    for axis, title in zip(axes[0], ["Image", "Ground truth", *models], strict=True):
        axis.set_title(title, fontsize=6.5)
    return figure


@matplotlib.rc_context(RC)
def gates(rows: Sequence[tuple[str, Image, Mask, Sequence[Image], Mask]]) -> Figure:
    """Return a row per dataset: photograph, RFEM's gates over it from coarse to fine, prediction, truth.

    Args:
        rows: dataset, photograph (H, W, 3), truth (H, W), gates (h, w) 0..255 with 255 letting all pass, prediction.
    """
    scales = len(rows[0][3])
    side = style.PAGE / (3 + scales)
    figure, axes = _grid(len(rows), 3 + scales, style.PAGE, len(rows) * side + 0.55)
    drawn: Any = None
    for line, (name, image, true, maps, predicted) in zip(axes, rows, strict=True):
        line[0].imshow(image)
        line[0].set_ylabel(name, fontsize=6.5)
        for axis, gate in zip(line[1:], maps, strict=False):
            height, width = image.shape[:2]
            axis.imshow(image.mean(-1), cmap="gray", vmin=0, vmax=255)
            span = (-0.5, width - 0.5, height - 0.5, -0.5)
            drawn = axis.imshow(gate / 255, cmap="inferno", vmin=0, vmax=1, alpha=0.65, extent=span)
            axis.set(xlim=span[:2], ylim=span[2:])
        line[-2].imshow(predicted, cmap="gray", vmin=0, vmax=1)
        line[-1].imshow(true, cmap="gray", vmin=0, vmax=1)
    shares = [f"gate at 1/{rows[0][1].shape[0] // g.shape[0]}" for g in rows[0][3]]
    for axis, title in zip(axes[0], ["Image", *shares, "Prediction", "Ground truth"], strict=True):
        axis.set_title(title, fontsize=6.5)
    bar = figure.colorbar(drawn, ax=axes, orientation="horizontal", fraction=0.04, aspect=50, pad=0.01)
    bar.set_label("factor on the skip connection (1: passes whole)", fontsize=6.5)
    return figure


@matplotlib.rc_context(RC)
def failures(rows: Sequence[tuple[str, Image, Mask, Mask, str]]) -> Figure:
    """Return the worst image of each dataset: photograph, and what was found, missed and falsely found.

    Args:
        rows: title, photograph (H, W, 3), truth (H, W), prediction (H, W), likely cause in two lines.
    """
    wide = min(2, len(rows))
    high = -(-len(rows) // wide)
    figure, axes = _grid(high, 2 * wide, style.PAGE if wide == 2 else style.COLUMN, high * (style.PAGE / 4 + 0.5) + 0.3)
    pairs = axes.reshape(high * wide, 2)
    for (left, right), (title, image, true, predicted, cause) in zip(pairs, rows, strict=False):
        left.imshow(image)
        left.set_title(title, fontsize=6.5, loc="left")
        right.imshow(_outcomes(image, true, predicted))
        left.set_xlabel(cause, fontsize=5.5, loc="left")
    for axis in pairs[len(rows) :].ravel():
        axis.set_visible(False)
    handles = [Patch(color=colour, label=label) for label, colour in OUTCOMES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def missed_pieces(true: Mask, finds: Mask, misses: Mask) -> list[tuple[float, float, float, float]]:
    """Return the boxes (x, y, width, height) around connected pieces of crack that one finds and the other misses.

    A pixel counts as missed where the other predicts nothing within ``NEAR_PX`` px.

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
    """Return the photograph, faded to grey, with TP, FP and FN painted over it, 0 to 1, (H, W, 3)."""
    painted = np.repeat(image.mean(-1, keepdims=True) / 255 * 0.6 + 0.3, 3, axis=-1)
    for mask, colour in zip((true & predicted, predicted & ~true, true & ~predicted), OUTCOMES.values(), strict=True):
        painted[mask] = matplotlib.colors.to_rgb(colour)
    return np.asarray(painted, np.float64)


def _grid(rows: int, columns: int, width: float, height: float) -> tuple[Figure, Any]:
    """Return a figure of empty panels without ticks, (rows, columns)."""
    narrow = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    figure = Figure(figsize=(width, height), layout=narrow)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.ravel():
        axis.set(xticks=[], yticks=[])
    return figure, axes
