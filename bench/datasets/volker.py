"""Volker: concrete walls, crops of large photographs."""

import re
from pathlib import Path

from bench.data.dataset import Archive, Card, Pair, pairs_by_stem

CARD = Card(
    name="Volker",
    crack_type="Wall crack",
    scene="concrete walls, crops of large photographs",
    images=990,
    photographs=90,
    crack_share_pct=4.054,
    licence="none stated",
    citation="Pak and Kim 2021",
)
PREFIX = "Volker_"
ORIGINAL: Archive | None = None


def photo(item: str) -> str:
    """Return the name of the source photograph of an item."""
    match = re.fullmatch(r"Volker_(.+?)_\d+_\d+_\d+_\d+", item)
    return match[1] if match else item


def pairs(root: Path) -> list[Pair]:
    """Return the pairs below ``root``."""
    return pairs_by_stem(root, photo)
