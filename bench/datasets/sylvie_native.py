"""Sylvie native: the images of Sylvie at native scale, with lossless labels."""

import re

from bench.data import crackforest
from bench.data.dataset import Card, Pinned

CARD = Card(
    name="Sylvie native",
    crack_type="Road crack",
    scene="French road surfaces, and CrackForest photographs with thicker labels, 480x320 and 768x512 px",
    images=185,
    photographs=162,
    crack_share_pct=8.891,
    licence="CC BY 4.0 (as the repository states)",
    citation="Amhaz et al. 2016, IEEE T-ITS 17(10), doi 10.1109/TITS.2015.2477675",
    shares_photographs_with=("cfd", "cfd_native", "forest", "sylvie"),
)
PREFIX = "sylvie_native_"
SAME_PLACE = crackforest.SAME_PLACE
ORIGINAL = None
PINNED = Pinned(
    "alexdonchuk/cracks_segmentation_dataset",
    "3aca2fdb798a47c9394120e9c03c058563c7c450",
    crack_value=2,
)


def photo(item: str) -> str:
    """Return the name of the source image: the two labellings of one image (GT, noGT) share it."""
    return re.sub(r"(no)?GT_", "", item)
