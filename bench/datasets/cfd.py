"""CFD: urban asphalt in Beijing, phone camera, 480x320 px."""

import re
from pathlib import Path

from bench.data.crackforest import CRACKFOREST
from bench.data.dataset import Card, Pair, pairs_by_stem

CARD = Card(
    name="CFD",
    crack_type="Road crack",
    scene="urban asphalt in Beijing, phone camera, 480x320 px",
    images=118,
    photographs=118,
    crack_share_pct=1.617,
    licence='"for non-commercial research purposes only"',
    citation="Shi et al. 2016, IEEE T-ITS 17(12), doi 10.1109/TITS.2016.2552248",
    shares_photographs_with=("forest", "sylvie"),
)
PREFIX = "CFD_"
ORIGINAL = CRACKFOREST


def photo(item: str) -> str:
    """Return the name of the source photograph of an item."""
    match = re.fullmatch(r"(?:CFD_)?(\d+)", item)
    return match[1] if match else item


def pairs(root: Path) -> list[Pair]:
    """Return the pairs below ``root``."""
    return pairs_by_stem(root, photo)
