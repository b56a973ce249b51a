"""Sylvie: French road surfaces, and CrackForest photographs with thicker labels."""

import re

from bench.data.dataset import Archive, Card
from bench.data.pack import paired

CARD = Card(
    name="Sylvie",
    crack_type="Road crack",
    scene="French road surfaces, and CrackForest photographs with thicker labels",
    images=185,
    photographs=170,
    crack_share_pct=8.893,
    licence="CC BY 4.0 (as the copy in cracks_segmentation_dataset states)",
    citation="Amhaz et al. 2016, IEEE T-ITS 17(10), doi 10.1109/TITS.2015.2477675",
    shares_photographs_with=("cfd", "cfd_native", "forest", "sylvie_native"),
)
PREFIX = "Sylvie_Chambon_"
ORIGINAL = Archive(
    file="cracks_segmentation_dataset.zip",
    urls=(
        "https://github.com/alexdonchuk/cracks_segmentation_dataset/archive/refs/heads/master.zip",
        "https://github.com/alexdonchuk/cracks_segmentation_dataset/archive/refs/heads/main.zip",
    ),
    page="https://github.com/alexdonchuk/cracks_segmentation_dataset (Code, Download ZIP)",
    select=paired(
        r"(?:.*/)?ds/img()/([^/]+)\.jpg",
        r"(?:.*/)?ds/masks_machine()/([^/]+?)(?:\.jpg)?\.png",
    ),
    crack_value=2,
)


def photo(item: str) -> str:
    """Return the name of the source image: the two labellings of one image (GT, noGT) share it."""
    return re.sub(r"(no)?GT_", "", item.removeprefix(PREFIX))
