"""CrackTree200: pavement with shadows, stains and low contrast, 800x600 px."""

from bench.data.dataset import Archive, Card
from bench.data.pack import PACK, PACK_PAGE, PACK_URLS, paired

CARD = Card(
    name="CrackTree200",
    crack_type="Road crack",
    scene="pavement with shadows, stains and low contrast, 800x600 px",
    images=206,
    photographs=206,
    crack_share_pct=0.32,
    licence="academic research",
    citation="Zou et al. 2012, Pattern Recognition Letters 33(3), doi 10.1016/j.patrec.2011.11.004",
)
PREFIX = "cracktree200_"
PHOTO = r"(?:cracktree200_)?(\d+)"
ORIGINAL = Archive(
    file=PACK,
    urls=PACK_URLS,
    page=PACK_PAGE,
    select=paired(
        r"(?:.*/)?cracktree200rgb()/([^/]+)\.jpg",
        r"(?:.*/)?cracktree200_gt()/([^/]+)\.png",
    ),
)
