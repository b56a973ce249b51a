"""CRACK500 crops: some crops of CRACK500 at native scale, 640x360 px, with lossless labels."""

from bench.data.dataset import Card, Pinned

CARD = Card(
    name="CRACK500 crops",
    crack_type="Road crack",
    scene="asphalt on a university campus, phone camera, crops at native scale, mostly 640x360 px",
    images=159,
    photographs=27,
    crack_share_pct=5.782,
    licence='none stated; "please cite"',
    citation="Zhang et al. 2016, ICIP, doi 10.1109/ICIP.2016.7533052; "
    "Yang et al. 2019, IEEE T-ITS 21(4), doi 10.1109/TITS.2019.2910595",
    shares_photographs_with=("crack500",),
)
PREFIX = "crack500_crops_"
PHOTO = r"(\w+?_\d+)_\d+_\d+"  # date and time of the photograph, left and top of the crop
ORIGINAL = None
PINNED = Pinned("guoguolord/CrackDataset", "e19d7110af25c79ecd0e137cfa1ad3a858a66c8d")
SAME_PLACE = {"20160328_154017": "20160328_153536"}
"""Source images that show parts of an earlier one (found by matching SIFT features, confirmed by eye)."""
