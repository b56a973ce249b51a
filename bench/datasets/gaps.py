"""GAPs: German asphalt roads, vehicle-mounted camera, 1920x1080 px, cut into crops."""

from bench.data.dataset import Archive, Card
from bench.data.pack import PACK, PACK_PAGE, PACK_URLS, paired

CARD = Card(
    name="GAPs",
    crack_type="Road crack",
    scene="German asphalt roads, vehicle-mounted camera, 1920x1080 px, cut into crops",
    images=509,
    photographs=286,
    crack_share_pct=1.214,
    licence="academic use",
    citation="Eisenbach et al. 2017, IJCNN, doi 10.1109/IJCNN.2017.7966101",
)
PREFIX = "GAPS384_"
PHOTO = r"(?:GAPS384_)?(\w+?_\d+)(?:_\d+_\d+)?"
ORIGINAL = Archive(
    file=PACK,
    urls=PACK_URLS,
    page=PACK_PAGE,
    select=paired(
        r"(?:.*/)?croppedimg()/([^/]+)\.jpg",
        r"(?:.*/)?croppedgt()/([^/]+)\.png",
    ),
)
