"""Select image and mask members by two patterns; the archive that contains three of the original datasets."""

import re
from collections.abc import Callable, Mapping, Sequence

PACK = "pavement_crack_pack.zip"
PACK_URLS = (
    "https://drive.usercontent.google.com/download?id=13_vDYl54Mrd34dddX9w4ppAEiuWv4MlD&export=download&confirm=t",
)
PACK_PAGE = (
    "https://github.com/fyangneil/pavement-crack-detection "
    "(https://drive.google.com/file/d/13_vDYl54Mrd34dddX9w4ppAEiuWv4MlD)"
)


def paired(images: str, masks: str) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """Return a function that selects the images and masks whose patterns capture the same part and stem.

    A stem that occurs in two parts names different images: the second one gets its part as a prefix.

    Args:
        images: pattern of an image's path, with two groups: part of the dataset (may be empty) and stem.
        masks: the same for its mask.

    >>> select = paired(r"(train|test)_img/(.+).jpg", r"(train|test)_lab/(.+).png")
    >>> select(["train_img/1.jpg", "train_lab/1.png", "test_img/1.jpg", "test_lab/1.png", "test_img/2.jpg"])
    ... # doctest: +NORMALIZE_WHITESPACE
    {'images/1.jpg': 'train_img/1.jpg', 'masks/1.png': 'train_lab/1.png',
     'images/test_1.jpg': 'test_img/1.jpg', 'masks/test_1.png': 'test_lab/1.png'}
    """

    def select(members: Sequence[str]) -> dict[str, str]:
        labels = {m.groups(): name for name in members if (m := re.fullmatch(masks, name, re.IGNORECASE))}
        chosen: dict[str, str] = {}
        stems: set[str] = set()
        for name in sorted(members, key=lambda name: ("train" not in name, name)):
            match = re.fullmatch(images, name, re.IGNORECASE)
            if match and match.groups() in labels:
                part, stem = match.groups()
                stem = f"{part}_{stem}" if stem in stems else stem
                stems.add(stem)
                label = labels[match.groups()]
                chosen[f"images/{stem}.jpg"], chosen[f"masks/{stem}.png"] = name, label
        return chosen

    return select
