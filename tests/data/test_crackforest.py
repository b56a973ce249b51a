"""The members of CrackForest's own archive: images with ground truth, and nothing else."""

import pytest

from bench.data.crackforest import CRACKFOREST

TOP = "CrackForest-dataset-master/"


@pytest.mark.parametrize("top", [TOP, ""])
def test_images_with_ground_truth_and_their_masks(top: str) -> None:
    members = [f"{top}image/{n}.jpg" for n in ("001", "002", "119")]
    members += [f"{top}groundTruth/{n}.mat" for n in ("002", "001", "200")]
    members += [f"{top}seg/001.seg", f"{top}README.md", f"{top}image/"]
    assert CRACKFOREST.select(members) == {
        "images/001.jpg": f"{top}image/001.jpg",
        "images/002.jpg": f"{top}image/002.jpg",
        "masks/001.mat": f"{top}groundTruth/001.mat",
        "masks/002.mat": f"{top}groundTruth/002.mat",
    }


@pytest.mark.parametrize(
    "members",
    [
        [],
        ["images/CFD_001.jpg", "masks/CFD_001.jpg"],
        ["a/b/image/001.jpg", "a/b/groundTruth/001.mat"],
        ["../../image/001.jpg", "../../groundTruth/001.mat"],
        ["image/1.jpg", "groundTruth/1.mat"],
        ["image/../001.jpg", "groundTruth/../001.mat"],
    ],
)
def test_another_archive_has_none(members: list[str]) -> None:
    assert CRACKFOREST.select(members) == {}
