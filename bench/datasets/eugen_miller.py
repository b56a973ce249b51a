"""Eugen Miller: tunnel lining of concrete, crops of five photographs."""

import re
from pathlib import Path

from bench.data.dataset import Archive, Card, Pair, pairs_by_stem

CARD = Card(
    name="Eugen Miller",
    crack_type="Concrete crack on Tunnels",
    scene="tunnel lining of concrete, crops of five photographs",
    images=55,
    photographs=5,
    crack_share_pct=5.117,
    licence="none stated",
    citation="Ham et al. 2021",
)
PREFIX = "Eugen_Muller_"
ORIGINAL: Archive | None = None


def photo(item: str) -> str:
    """Return the name of the source photograph of an item."""
    match = re.fullmatch(r"Eugen_Muller_(.+?)_\d+_\d+_\d+_\d+", item)
    return match[1] if match else item


def pairs(root: Path) -> list[Pair]:
    """Return the pairs below ``root``."""
    return pairs_by_stem(root, photo)
