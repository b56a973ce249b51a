"""Rissbilder: walls and facades, crops of large photographs."""

import re
from pathlib import Path

from bench.data.dataset import Archive, Card, Pair, pairs_by_stem

CARD = Card(
    name="Rissbilder",
    crack_type="Wall crack",
    scene="walls and facades, crops of large photographs",
    images=3822,
    photographs=182,
    crack_share_pct=2.706,
    licence="none stated",
    citation="Pak and Kim 2021",
)
PREFIX = "Rissbilder_for_Florian_"
ORIGINAL: Archive | None = None


def photo(item: str) -> str:
    """Return the name of the source photograph of an item."""
    match = re.fullmatch(r"Rissbilder_for_Florian_(.+?)_\d+_\d+_\d+_\d+", item)
    return match[1] if match else item


def pairs(root: Path) -> list[Pair]:
    """Return the pairs below ``root``."""
    return pairs_by_stem(root, photo)
