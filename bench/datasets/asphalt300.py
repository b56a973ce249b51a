"""AsphaltCrack300: asphalt from near, crops of photographs, 504x672 px."""

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="AsphaltCrack300",
    crack_type="Road crack",
    scene="asphalt from near, crops of photographs, 504x672 px",
    images=127,
    photographs=15,
    crack_share_pct=10.428,
    licence="none stated",
    citation="none stated; github.com/guoguolord/CrackDataset",
)
PREFIX = "asphalt300_"
PHOTO = r"(\d+)_\d+"  # number of the photograph, number of the crop
ORIGINAL = None
PINNED = Pinned("guoguolord/CrackDataset", "e19d7110af25c79ecd0e137cfa1ad3a858a66c8d")
SAME_PLACE: dict[str, str] = {}
"""None found: neither duplicates nor overlaps across source images (searched for by matching SIFT features)."""
