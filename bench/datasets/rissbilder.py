"""Rissbilder: walls and facades, crops of large photographs."""

from bench.data.dataset import Card

CARD = Card(
    name="Rissbilder",
    crack_type="Wall crack",
    scene="walls and facades, crops of large photographs",
    images=3822,
    photographs=182,
    crack_share_pct=2.706,
    licence="none stated",
    citation="Pak and Kim 2021",
)
PREFIX = "Rissbilder_for_Florian_"
PHOTO = r"Rissbilder_for_Florian_(.+?)_\d+_\d+_\d+_\d+"
ORIGINAL = None
