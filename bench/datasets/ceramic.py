"""Ceramic: floors and walls of ceramic tiles, 256x256 px."""

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="Ceramic",
    crack_type="Ceramic crack",
    scene="floors and walls of ceramic tiles, 256x256 px",
    images=100,
    photographs=91,
    crack_share_pct=2.059,
    licence="MIT (as the repository states)",
    citation="none stated; github.com/arthurflor23/surface-crack-detection",
)
PREFIX = "ceramic_"
PHOTO = r"(.+)"
ORIGINAL = None
PINNED = Pinned("arthurflor23/surface-crack-detection", "aca76d3d2f58df16e4d889847c2757307209748e")
SAME_PLACE = {"039": "003", "009": "007", "016": "015", "025": "024"} | dict.fromkeys(
    ("088", "089", "090", "091", "092"), "087"
)
"""Source images that show parts of an earlier one (found by matching SIFT features, confirmed by eye)."""
