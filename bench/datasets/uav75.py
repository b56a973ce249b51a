"""UAV75: concrete seen from a drone, with planking patterns that resemble cracks, 512x512 px."""

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="UAV75",
    crack_type="Concrete crack",
    scene="concrete of a structure seen from a drone, planking patterns, cracks of 1 to 5 px, 512x512 px",
    images=75,
    photographs=35,
    crack_share_pct=0.319,
    licence="GPL-3.0 (as the repository states)",
    citation="Benz et al. 2019, IVCNZ, Crack Segmentation on UAS-based Imagery using Transfer Learning",
)
PREFIX = "uav75_"
PHOTO = r"(DSC\d+)[a-z]?"  # crops of one photograph are told apart by a letter
ORIGINAL = None
PINNED = Pinned(
    "ben-z-original/uav75",
    "eb552d046fe50b3325e89644aa9ae75e7bc7cbcc",
    crack_value=255,  # 204 is planking pattern
)
SAME_PLACE = {
    "DSC00556": "DSC00550",
    "DSC00570": "DSC00550",
    "DSC00578": "DSC00552",
    "DSC00560": "DSC00553",
    "DSC00561": "DSC00553",
    "DSC00564": "DSC00553",
    "DSC00565": "DSC00553",
    "DSC00572": "DSC00555",
}
"""Source images that show parts of an earlier one (found by matching SIFT features)."""
