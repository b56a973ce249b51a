"""DeepCrack 544: part of DeepCrack, a copy with anti-aliased labels, 544x384 px."""

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="DeepCrack 544",
    crack_type="Road crack",
    scene="concrete and asphalt, many scenes and scales, 544x384 px",
    images=160,
    photographs=97,
    crack_share_pct=3.468,
    licence="AFL-3.0 (as the copy states); DeepCrack itself: non-commercial research and education",
    citation="Liu et al. 2019, Neurocomputing 338, doi 10.1016/j.neucom.2019.01.036",
    shares_photographs_with=("deepcrack",),
)
PREFIX = "deepcrack_544_"
PHOTO = r"(?:test_)?(.+?)(?:-\d+)?"  # test_ tells apart two images of one name
ORIGINAL = None
PINNED = Pinned(
    "zfsu3722/MTS-Based-Lightweight-Pavement-Crack-Detection-Model", "9e51319b1409da5057ea20ae7f544d421a1efc4e"
)
SAME_PLACE: dict[str, str] = {}
"""None found: neither duplicates nor overlaps across source images (searched for by matching SIFT features)."""
