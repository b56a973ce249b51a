"""Volker: concrete walls, crops of large photographs."""

from bench.data.dataset import Card

CARD = Card(
    name="Volker",
    crack_type="Wall crack",
    scene="concrete walls, crops of large photographs",
    images=990,
    photographs=90,
    crack_share_pct=4.054,
    licence="none stated",
    citation="Pak and Kim 2021",
)
PREFIX = "Volker_"
PHOTO = r"Volker_(.+?)_\d+_\d+_\d+_\d+"
ORIGINAL = None
