"""CrackForest as published by its authors: the archive of both CFD and Forest."""

import re
from collections.abc import Mapping, Sequence

from bench.data.dataset import Archive


def _select(members: Sequence[str]) -> Mapping[str, str]:
    """Return the 118 images with ground truth and their .mat files; the other images have no labels."""
    masks = {m[1]: name for name in members if (m := re.fullmatch(r"(?:[^/]+/)?groundTruth/(\d{3})\.mat", name))}
    images = {m[1]: name for name in members if (m := re.fullmatch(r"(?:[^/]+/)?image/(\d{3})\.jpg", name))}
    both = sorted(masks.keys() & images.keys())
    return {f"images/{n}.jpg": images[n] for n in both} | {f"masks/{n}.mat": masks[n] for n in both}


CRACKFOREST = Archive(
    file="CrackForest-dataset-master.zip",
    urls=("https://github.com/cuilimeng/CrackForest-dataset/archive/refs/heads/master.zip",),
    page="https://github.com/cuilimeng/CrackForest-dataset (Code, Download ZIP)",
    select=_select,
)
SAME_PLACE = {
    "008": "004",
    "013": "012",
    "028": "016",
    "067": "064",
    "085": "084",
    "095": "001",
    "114": "066",
    "115": "064",
}
"""Photographs of a place that an earlier one shows too, some upside down (found by matching SIFT features)."""
