"""The members of the merged collection: each file once, and no name leads out of the folder."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.collection import COLLECTION, select_from_collection


def test_each_file_once_although_train_and_test_repeat_it() -> None:
    members = [
        "crack/train/images/CFD_001.jpg",
        "crack/train/masks/CFD_001.jpg",
        "crack/images/CFD_001.jpg",
        "crack/masks/CFD_001.jpg",
        "crack/test/images/CFD_002.jpg",
        "crack/test/masks/CFD_002.jpg",
        "crack/readme.txt",
        "crack/images/",
    ]
    expected = {
        "images/CFD_001.jpg": "crack/images/CFD_001.jpg",
        "masks/CFD_001.jpg": "crack/masks/CFD_001.jpg",
        "images/CFD_002.jpg": "crack/test/images/CFD_002.jpg",
        "masks/CFD_002.jpg": "crack/test/masks/CFD_002.jpg",
    }
    assert select_from_collection("CFD_", members) == expected
    assert select_from_collection("CFD_", members[::-1]) == expected


def test_the_shallowest_path_wins() -> None:
    members = ["a/b/images/CFD_001.jpg", "z/images/CFD_001.jpg", "a/c/images/CFD_001.jpg"]
    assert select_from_collection("CFD_", members) == {"images/CFD_001.jpg": "z/images/CFD_001.jpg"}


def test_only_the_dataset_s_own_files() -> None:
    members = [f"images/{name}" for name in ("CFD_001.jpg", "forest_001.jpg", "noncrack_CFD_1.jpg", "xCFD_001.jpg")]
    assert list(select_from_collection("CFD_", members)) == ["images/CFD_001.jpg"]


@pytest.mark.parametrize("member", ["IMAGES/CFD_1.JPG", "a/Images/CFD_1.png", "images/CFD_1.jpg.jpg"])
def test_case_and_kind_do_not_matter(member: str) -> None:
    assert select_from_collection("CFD_", [member]) == {f"images/{PurePosixPath(member).name}": member}


@pytest.mark.parametrize(
    "member",
    ["CFD_1.jpg", "images/CFD_1.txt", "images/sub/CFD_1.jpg", "images/CFD_1", "my_images/CFD_1.jpg", "masks/", ""],
)
def test_files_in_other_folders_and_other_types_are_ignored(member: str) -> None:
    assert select_from_collection("CFD_", [member]) == {}


HOSTILE = [
    "../images/CFD_1.jpg",
    "../../../../etc/images/CFD_1.jpg",
    "/images/CFD_1.jpg",
    "/etc/images/CFD_1.jpg",
    "images/../CFD_1.jpg",
    "images/../../CFD_1.jpg",
    "images/CFD_/../../../evil.jpg",
    "images/CFD_1/../../evil.jpg",
    "images/CFD_..jpg",
    "images//CFD_1.jpg",
    "images/./CFD_1.jpg",
    "images\\CFD_1.jpg",
    "C:\\images\\CFD_1.jpg",
]


def stays_inside(target: str) -> bool:
    folder = Path("/downloads/cfd")
    kind, _, name = target.partition("/")
    path = Path(f"{folder}/{target}").resolve()
    return kind in ("images", "masks") and "/" not in name and path.parent == folder / kind


@pytest.mark.parametrize("member", HOSTILE)
@pytest.mark.parametrize("prefix", ["CFD_", ""])
def test_no_hostile_name_leads_out_of_the_folder(member: str, prefix: str) -> None:
    for target, source in select_from_collection(prefix, [member]).items():
        assert stays_inside(target)
        assert source == member


PARTS = st.sampled_from(["..", ".", "", "images", "masks", "CFD_1.jpg", "CFD_..jpg", "CFD_", "\\", "a", "\n", "\0"])


@given(st.lists(PARTS, max_size=7).map("/".join), st.sampled_from(["CFD_", ""]))
def test_no_path_at_all_leads_out_of_the_folder(member: str, prefix: str) -> None:
    targets = select_from_collection(prefix, [member])
    assert all(stays_inside(target) for target in targets if "\0" not in target)


def test_the_archive_takes_all_datasets() -> None:
    members = ["images/CFD_1.jpg", "images/Volker_1.jpg", "readme.md"]
    assert set(COLLECTION.select(members)) == {"images/CFD_1.jpg", "images/Volker_1.jpg"}
    assert COLLECTION.select(["readme.md"]) == {}
