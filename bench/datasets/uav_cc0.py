"""UAV CC0: concrete of embankments and walls seen from a drone, 448x448 px."""

import re

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="UAV CC0",
    crack_type="Concrete crack",
    scene="concrete of embankments and walls seen from a drone, 448x448 px",
    images=63,
    photographs=16,
    crack_share_pct=1.326,
    licence="CC0 1.0 (as the folder in the repository states of its own source)",
    citation="none stated; kaggle.com/datasets/ziya07/uav-based-crack-detection-dataset, "
    "copied in github.com/jakki-Guan/ground-to-uav-crack-segmentation",
)
PREFIX = "uav_cc0_"
ORIGINAL = None
PINNED = Pinned("jakki-Guan/ground-to-uav-crack-segmentation", "9d0c6d594c11f355d3a9c3655eb08294f91bd171")
SAME_PLACE = {"11": "10", "16": "15", "DJI0090": "0"}
"""Blocks, or images outside the numbering, that show parts of an earlier block (found by matching SIFT features)."""


def photo(item: str) -> str:
    """Return the block of 100 numbers that an image belongs to.

    The images are cut from frames that overlap, and are numbered along the flight: most pairs that show the same place
    are in one block.
    """
    match = re.fullmatch(r"slide(\d+)", item)
    return str(int(match[1]) // 100) if match else item
