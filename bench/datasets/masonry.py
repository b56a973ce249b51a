"""Masonry: brick and stone walls, crops of photographs, 224x224 px."""

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="Masonry",
    crack_type="Wall crack",
    scene="masonry walls, mostly brick, crops of photographs, 224x224 px",
    images=120,
    photographs=65,
    crack_share_pct=3.885,
    licence="GPL-3.0 (as the repository states)",
    citation="Dais et al. 2021, Automation in Construction 125, doi 10.1016/j.autcon.2021.103606",
)
PREFIX = "masonry_"
PHOTO = r"([a-z]+_\d+)_\d+"  # several crops of one wall: letter, number of the wall, number of the crop
ORIGINAL = None
PINNED = Pinned("dimitrisdais/crack_detection_CNN_masonry", "83c371c70a27852f22ab3386269c6058a203ef38")
SAME_PLACE: dict[str, str] = {}
"""None found: neither duplicates nor overlaps across source images (searched for by matching SIFT features)."""
