"""The merged crack collection: one archive of all ten datasets, each with a prefix of its own."""

import re
from collections.abc import Mapping, Sequence

from bench.data.dataset import Archive

_MEMBER = re.compile(r"(?:.*/)?(images|masks)/([^/]+\.(?:jpg|png))", re.IGNORECASE)


def select_from_collection(prefix: str, members: Sequence[str]) -> Mapping[str, str]:
    """Return the members of one dataset, each file once: train/ and test/ repeat the content of images/.

    Of several files with the same name the one with the shallowest path is chosen: ``images/X.jpg`` before
    ``train/images/X.jpg``.

    >>> select_from_collection("CFD_", ["test/images/CFD_001.jpg", "images/CFD_001.jpg", "images/Volker_1.jpg"])
    {'images/CFD_001.jpg': 'images/CFD_001.jpg'}
    """
    chosen: dict[str, str] = {}
    for member in sorted(members, key=lambda name: (name.count("/"), name)):
        match = _MEMBER.fullmatch(member)
        if match and match[2].startswith(prefix):
            chosen.setdefault(f"{match[1].lower()}/{match[2]}", member)
    return chosen


COLLECTION = Archive(
    file="crack_segmentation_dataset.zip",
    urls=(
        "https://drive.usercontent.google.com/download?id=1xrOqv0-3uMHjZyEUrerOYiYXW_E8SUMP&export=download&confirm=t",
        "https://www.kaggle.com/api/v1/datasets/download/lakshaymiddha/crack-segmentation-dataset",
        "hf://datasets/varcoder/crack-segmentation-dataset",
    ),
    page=(
        "https://drive.google.com/file/d/1xrOqv0-3uMHjZyEUrerOYiYXW_E8SUMP, "
        "https://www.kaggle.com/datasets/lakshaymiddha/crack-segmentation-dataset or "
        "https://huggingface.co/datasets/varcoder/crack-segmentation-dataset"
    ),
    select=lambda members: select_from_collection("", members),
)
