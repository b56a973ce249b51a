"""Explain why one number is not another: the first difference, the images that make up the gap, the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench import plugins
from bench.ranking.differences import Difference, Side, differences
from bench.ranking.gap import Gap, gap, images_for
from bench.render.tables import Table

MOST_IMAGES = 10
"""Rows of the table of images."""


@dataclass(frozen=True)
class Why:
    """What explains the gap between two models on a dataset, or between two trainings of one model."""

    a: Side
    b: Side
    found: list[Difference]
    gap: Gap

    @property
    def within(self) -> str:
        """Whether other seeds alone explain the gap: "yes", "no", or "unknown" with one seed on each side."""
        if self.gap.value == 0:
            return "yes"
        return "unknown" if np.isnan(self.gap.spread) else "yes" if abs(self.gap.value) <= self.gap.spread else "no"


def why(a: Side, b: Side, metric: str = "crack_iou") -> Why:
    """Return what explains the gap between the pooled scores of two sides."""
    return Why(a, b, differences(a, b), gap(a.scores.images, b.scores.images, metric))


def tables(found: Sequence[Why], metric: str, most: int = MOST_IMAGES) -> list[Table]:
    """Return the table of all gaps, and the differences and images of the largest one."""
    largest = widest(found)
    return [_gaps(found, metric), _differences(largest), _images(largest, metric, most)]


def widest(found: Sequence[Why]) -> Why:
    """Return the one with the largest gap; an undefined gap counts as the smallest."""
    return max(found, key=lambda one: np.nan_to_num(abs(one.gap.value), nan=-1.0))


def sentence(one: Why, metric: str) -> str:
    """Return the answer in words."""
    name = plugins.load("metrics", metric).NAME
    a, b = float(one.gap.a.mean()), float(one.gap.b.mean())
    if np.isnan(one.gap.value):
        return f"{_cell(one)}: {name} is undefined on one side: no pixel counts there."
    numbers = f"{_cell(one)}: {name} {a:.4f} against {b:.4f}, a gap of {one.gap.value:+.4f}"
    if not one.found:
        reason = " Nothing that is recorded differs" + (
            "." if one.gap.value == 0 else ": a GPU that is not deterministic, or an edited file, is left."
        )
    else:
        first = one.found[0]
        reason = f" First difference, {first}: {first.a or 'none'} against {first.b or 'none'}."
    return f"{numbers}, {_seeds(one)}.{reason}"


def _seeds(one: Why) -> str:
    """Return what the seeds say of a gap."""
    if one.gap.value == 0:
        return "none at all"
    if one.within == "unknown":
        return "with one seed on each side, so whether seeds explain it is unknown"
    side = "within" if one.within == "yes" else "beyond"
    return f"{side} the spread of the seeds (±{one.gap.spread:.4f})"


def _cell(one: Why) -> str:
    names = [f"{side.dataset}/{side.model}" for side in (one.a, one.b)]
    return names[0] if names[0] == names[1] else " against ".join(names)


def _gaps(found: Sequence[Why], metric: str) -> Table:
    rows = [
        {
            "Dataset/model": _cell(one), "Seeds A": len(one.a.seeds), "Seeds B": len(one.b.seeds),
            "A": float(one.gap.a.mean()), "B": float(one.gap.b.mean()), "Gap": one.gap.value,
            "Seed spread ±": one.gap.spread, "Within": one.within,
            "First difference": str(one.found[0]) if one.found else "none recorded",
        }
        for one in sorted(found, key=lambda one: -np.nan_to_num(abs(one.gap.value)))
    ]  # fmt: skip
    notes = [
        f"A: {found[0].a.name}. B: {found[0].b.name}.",
        "Seed spread: half the 95 % t interval of the difference of the means over seeds; empty if neither side "
        "has two seeds.",
    ]
    name = plugins.load("metrics", metric).NAME
    digits = dict.fromkeys(("A", "B", "Gap", "Seed spread ±"), 4)
    return Table("gaps", f"{name}, pooled, mean over seeds.", pd.DataFrame(rows), digits, notes)


def _differences(one: Why) -> Table:
    rows = [(d.kind, d.name, d.a, d.b) for d in one.found]
    frame = pd.DataFrame(rows, columns=["Kind", "What", "A", "B"])
    caption = f"What differs for {_cell(one)}, in the order of the pipeline."
    return Table("differences", caption, frame, notes=[] if rows else ["Nothing that is recorded differs."])


def _images(one: Why, metric: str, most: int) -> Table:
    images = one.gap.images
    frame = images[images["part"] != 0].head(most).rename(columns={"item": "Image", "part": "Part of the gap"})
    frame.columns = [_heading(str(name)) for name in frame.columns]
    count = images_for(images["part"].to_numpy())
    only = {side: int(images[f"tp_{other}"].isna().sum()) for side, other in (("A", "b"), ("B", "a"))}
    notes = [f"{count} of {len(images)} images make up 80 % of the gap; all parts sum to it."]
    notes += [f"{number} images are in {side} only." for side, number in only.items() if number]
    digits = {name: 0 for name in frame.columns if name[-1] in "AB"} | {"Part of the gap": 4}
    caption = f"The images that make up the gap of {_cell(one)}; tp, fp and fn in pixels, means over the seeds."
    return Table("images", caption, frame, digits, notes)


def _heading(name: str) -> str:
    count, _, side = name.rpartition("_")
    return f"{count} {side.upper()}" if count else name
