"""CFD native: CFD at native scale with its authors' lossless labels, 480x320 px."""

from bench.data import crackforest
from bench.data.dataset import Card, Pinned

CARD = Card(
    name="CFD native",
    crack_type="Road crack",
    scene="urban asphalt in Beijing, phone camera, 480x320 px",
    images=118,
    photographs=110,
    crack_share_pct=1.616,
    licence='"for non-commercial research purposes only"',
    citation="Shi et al. 2016, IEEE T-ITS 17(12), doi 10.1109/TITS.2016.2552248",
    shares_photographs_with=("cfd", "forest", "sylvie", "sylvie_native"),
)
PREFIX = "cfd_native_"
PHOTO = r"(\d+)"
SAME_PLACE = crackforest.SAME_PLACE
ORIGINAL = None
PINNED = Pinned("cuilimeng/CrackForest-dataset", "ed57c2d96754e6c7d105805cd29aeeb3a799f267")
