"""What all figures share: one colour, marker and hatch for each model, sizes for a printed column."""

import zlib
from typing import Any

COLOURS = {
    "deeplabv3": "#332288", "deeplabv3plus": "#88CCEE", "fpn": "#44AA99", "linknet": "#117733", "manet": "#999933",
    "pan": "#DDCC77", "pspnet": "#882255", "unet": "#AA4499", "unetplusplus": "#777777", "context_cracknet": "#D55E00",
}  # fmt: skip
"""Ten colours that stay apart for the colour-blind. **Source:** Tol 2021, scheme "muted", its grey darkened and its
rose replaced by the vermilion of Okabe and Ito 2008, which no other of them comes near."""

SPARE = ("#0077BB", "#EE3377", "#004488", "#BB5566", "#009988", "#666633")
"""For models of other packages and ablation variants; which one follows from the name, not from its place in a list."""

MARKERS = dict(zip(COLOURS, "osD^v<>PX*", strict=True))

HATCHES = dict(zip(COLOURS, ("", "////", "", "\\\\\\\\", "", "....", "xxxx", "", "----", ""), strict=True))
"""A second mark beside colour, so that neighbours stay apart in grey."""

DASHES: dict[str, Any] = dict(
    zip(COLOURS, ("-", "--", "-.", (0, (5, 1)), "-", (0, (3, 1, 1, 1)), "--", "-", "-.", "-"), strict=True)
)

COLUMN, PAGE = 3.54, 7.48
"""Widths in inch of one and two columns, 90 and 190 mm. **Source:** Elsevier, artwork sizing. Charts are one column
wide, so that nothing on them shrinks in print; panels of photographs take two."""

DEPTH = 9.2
"""Most height of a figure, inch: a page of 240 mm with a line of caption."""

RC: Any = {
    "font.size": 7, "axes.titlesize": 7, "axes.labelsize": 7, "legend.fontsize": 6.5, "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5, "legend.handlelength": 2.2, "legend.columnspacing": 1.2, "axes.titlepad": 3,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "xtick.major.pad": 2, "ytick.major.pad": 2,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "lines.linewidth": 1.0, "hatch.linewidth": 0.4, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.linewidth": 0.4, "grid.alpha": 0.5, "legend.frameon": False,
}  # fmt: skip


def colour(model: str) -> str:
    """Return the colour of a model.

    >>> colour("context_cracknet")
    '#D55E00'
    """
    return COLOURS.get(model) or SPARE[zlib.crc32(model.encode()) % len(SPARE)]


def line(model: str) -> dict[str, Any]:
    """Return how a model's curve is drawn."""
    heavy = {"linewidth": 1.6, "zorder": 3} if model == "context_cracknet" else {}
    return {"color": colour(model), "linestyle": DASHES.get(model, ":")} | heavy


def marker(model: str) -> dict[str, Any]:
    """Return how a model's point is drawn."""
    shape = MARKERS.get(model, "h")
    return {"color": colour(model), "marker": shape, "markeredgecolor": "black", "markeredgewidth": 0.4}
