"""CFD: urban asphalt in Beijing, phone camera, 480x320 px."""

from bench.data.crackforest import CRACKFOREST
from bench.data.dataset import Card

CARD = Card(
    name="CFD",
    crack_type="Road crack",
    scene="urban asphalt in Beijing, phone camera, 480x320 px",
    images=118,
    photographs=118,
    crack_share_pct=1.617,
    licence='"for non-commercial research purposes only"',
    citation="Shi et al. 2016, IEEE T-ITS 17(12), doi 10.1109/TITS.2016.2552248",
    shares_photographs_with=("cfd_native", "forest", "sylvie", "sylvie_native"),
)
PREFIX = "CFD_"
PHOTO = r"(?:CFD_)?(\d+)"
ORIGINAL = CRACKFOREST
