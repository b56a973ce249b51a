"""CRACK500: asphalt on a university campus, phone camera, cut into crops."""

from bench.data.dataset import Archive, Card
from bench.data.pack import PACK, PACK_PAGE, PACK_URLS, paired

CARD = Card(
    name="CRACK500",
    crack_type="Road crack",
    scene="asphalt on a university campus, phone camera, cut into crops",
    images=3363,
    photographs=442,
    crack_share_pct=6.034,
    licence='none stated; "please cite"',
    citation="Zhang et al. 2016, ICIP, doi 10.1109/ICIP.2016.7533052; "
    "Yang et al. 2019, IEEE T-ITS 21(4), doi 10.1109/TITS.2019.2910595",
    shares_photographs_with=("crack500_crops",),
)
PREFIX = "CRACK500_"
PHOTO = r"(?:CRACK500_)?(\w+?_\d+)(?:_\d+_\d+)?"
ORIGINAL = Archive(
    file=PACK,
    urls=PACK_URLS,
    page=PACK_PAGE,
    select=paired(
        r"(?:.*/)?(train|val|test)crop/([^/]+)\.jpg",
        r"(?:.*/)?(train|val|test)crop/([^/]+)\.png",
    ),
)
