"""Eugen Miller: tunnel lining of concrete, crops of five photographs."""

from bench.data.dataset import Card

CARD = Card(
    name="Eugen Miller",
    crack_type="Concrete crack on Tunnels",
    scene="tunnel lining of concrete, crops of five photographs",
    images=55,
    photographs=5,
    crack_share_pct=5.117,
    licence="none stated",
    citation="Ham et al. 2021",
)
PREFIX = "Eugen_Muller_"
PHOTO = r"Eugen_Muller_(.+?)_\d+_\d+_\d+_\d+"
ORIGINAL = None
