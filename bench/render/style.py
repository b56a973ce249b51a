"""Style shared by all figures: a colour, marker, dash and hatch for each model, and sizes for a printed column."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from matplotlib.colors import hsv_to_rgb, to_hex

COLOURS = {
    "deeplabv3": "#332288", "deeplabv3plus": "#88CCEE", "fpn": "#44AA99", "linknet": "#117733", "manet": "#999933",
    "pan": "#DDCC77", "pspnet": "#882255", "unet": "#AA4499", "unetplusplus": "#777777", "context_cracknet": "#D55E00",
    "segformer": "#EE3377", "upernet": "#0077BB",
}  # fmt: skip
"""Colours of the models of the suite, distinct with colour-vision deficiency. **Source:** Tol 2021, schemes "muted" and
"vibrant", with a darker grey, and with rose replaced by the vermilion of Okabe and Ito 2008."""

SPARE = (
    "#000000", "#FFAABB", "#004488", "#AAAA00", "#BB5566", "#99DDFF", "#663333", "#44BB99", "#EEDD88", "#5D478B",
    "#EE8866", "#BBCC33",
)  # fmt: skip
"""Colours of further models, in the order in which they are shown."""

MARKERS = (*"osD^v<>PXphd", "8", "H")
"""Markers in the order of ``COLOURS``, then of further models; when they run out, the number of the model."""

HATCHES = ("", "////", "", "\\\\\\\\", "", "....", "xxxx", "", "----", "", "||||", "++++", "oo", "**")
"""Hatches keep neighbouring bars distinct in greyscale."""

DASHES: tuple[Any, ...] = (
    "-", (0, (5, 1)), (0, (6, 1, 1, 1)), (0, (4, 2)), (0, (9, 1)), (0, (3, 1, 1, 1)), (0, (3, 2)), (0, (12, 1, 2, 1)),
    (0, (2, 1)), (0, (7, 2)), (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)),
)  # fmt: skip

HIGHLIGHT = "*"
"""Marker of highlighted models."""

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


@dataclass(frozen=True)
class Look:
    """How a model is drawn in every figure of a report."""

    colour: str
    mark: str
    dash: Any
    hatch: str
    highlighted: bool

    @property
    def line(self) -> dict[str, Any]:
        """The style of a curve; highlighted models have a heavier line, on top."""
        heavy = {"linewidth": 1.6, "zorder": 3} if self.highlighted else {}
        return {"color": self.colour, "linestyle": self.dash} | heavy

    @property
    def marker(self) -> dict[str, Any]:
        """The style of a point; highlighted models are stars."""
        shape = HIGHLIGHT if self.highlighted else self.mark
        return {"color": self.colour, "marker": shape, "markeredgecolor": "black", "markeredgewidth": 0.4}


def looks(models: Iterable[str], highlight: Container[str] = ()) -> dict[str, Look]:
    """Return model -> its look; no two share a colour, a marker or a dash.

    Models of the suite look the same in every report, others by their order.

    >>> [look.colour for look in looks(["unet", "my_net"]).values()]
    ['#AA4499', '#000000']
    """
    own, further, found = list(COLOURS), 0, {}
    for model in models:
        place = own.index(model) if model in COLOURS else len(own) + further
        further += model not in COLOURS
        found[model] = Look(
            colour=COLOURS.get(model) or _spare_colour(place - len(own)),
            mark=MARKERS[place] if place < len(MARKERS) else f"${place + 1}$",
            dash=DASHES[place] if place < len(DASHES) else (0, (place, 1, 1, 1)),
            hatch=HATCHES[place % len(HATCHES)],
            highlighted=model in highlight,
        )
    return found


def _spare_colour(number: int) -> str:
    """Return a spare colour; beyond the list, hues by the golden ratio, darker with each round."""
    if number < len(SPARE):
        return SPARE[number]
    beyond = number - len(SPARE)
    red, green, blue = hsv_to_rgb((beyond * 0.618034 % 1, 0.9, 0.85 - 0.1 * (beyond // 12 % 6)))
    return to_hex((red, green, blue))
