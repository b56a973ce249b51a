"""DeepCrack: concrete and asphalt, many scenes and scales, 544x384 px."""

from bench.data.dataset import Archive, Card
from bench.data.pack import paired

CARD = Card(
    name="DeepCrack",
    crack_type="Road crack",
    scene="concrete and asphalt, many scenes and scales, 544x384 px",
    images=521,
    photographs=152,
    crack_share_pct=3.581,
    licence="non-commercial research and education",
    citation="Liu et al. 2019, Neurocomputing 338, doi 10.1016/j.neucom.2019.01.036",
    shares_photographs_with=("deepcrack_544",),
)
PREFIX = "DeepCrack_"
PHOTO = r"(?:DeepCrack_)?(.+?)(?:-\d+)?"
ORIGINAL = Archive(
    file="DeepCrack.zip",
    urls=("https://raw.githubusercontent.com/yhlleo/DeepCrack/master/dataset/DeepCrack.zip",),
    page="https://github.com/yhlleo/DeepCrack (dataset/DeepCrack.zip)",
    select=paired(
        r"(?:.*/)?(train|test)_img/([^/]+)\.jpg",
        r"(?:.*/)?(train|test)_lab/([^/]+)\.png",
    ),
)
