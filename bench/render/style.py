"""Style shared by all figures: one colour, marker and hatch per model, and sizes for a printed column."""

import zlib
from typing import Any

COLOURS = {
    "deeplabv3": "#332288", "deeplabv3plus": "#88CCEE", "fpn": "#44AA99", "linknet": "#117733", "manet": "#999933",
    "pan": "#DDCC77", "pspnet": "#882255", "unet": "#AA4499", "unetplusplus": "#777777", "context_cracknet": "#D55E00",
}  # fmt: skip
"""Ten colours that remain distinct with colour-vision deficiency. **Source:** Tol 2021, scheme "muted", with a darker
grey, and with rose replaced by the vermilion of Okabe and Ito 2008, which is unlike the other nine."""

SPARE = ("#0077BB", "#EE3377", "#004488", "#BB5566", "#009988", "#666633")
"""Colours of other models and ablation variants, chosen by a hash of the name so that lists do not matter."""

MARKERS = dict(zip(COLOURS, "osD^v<>PXp", strict=True))

HIGHLIGHT = "*"
"""Marker of highlighted models."""

HATCHES = dict(zip(COLOURS, ("", "////", "", "\\\\\\\\", "", "....", "xxxx", "", "----", ""), strict=True))
"""Hatches keep neighbouring bars distinct in greyscale."""

DASHES: dict[str, Any] = dict(
    zip(COLOURS, ("-", "--", "-.", (0, (5, 1)), "-", (0, (3, 1, 1, 1)), "--", "-", "-.", "-"), strict=True)
)

COLUMN, PAGE = 3.54, 7.48
"""Widths of one and two columns, inches: 90 and 190 mm. **Source:** Elsevier, artwork sizing. Charts are one column
wide, so that print does not shrink them; panels of images are two."""

DEPTH = 9.2
"""Maximum height of a figure, inches: a 240 mm page with one line of caption."""

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


def line(model: str, highlighted: bool = False) -> dict[str, Any]:
    """Return the line style of a model's curve; highlighted models get a heavier line."""
    heavy = {"linewidth": 1.6, "zorder": 3} if highlighted else {}
    return {"color": colour(model), "linestyle": DASHES.get(model, ":")} | heavy


def marker(model: str, highlighted: bool = False) -> dict[str, Any]:
    """Return the style of a model's point; highlighted models are stars."""
    shape = HIGHLIGHT if highlighted else MARKERS.get(model, "h")
    return {"color": colour(model), "marker": shape, "markeredgecolor": "black", "markeredgewidth": 0.4}
