"""Pairs in a folder of one's own."""

from pathlib import Path

import pytest

from bench.data.folder import find_pairs
from bench.errors import UserError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(("images", "masks"), [("images", "masks"), ("img", "gt"), ("rgb", "labels")])
def test_folders_may_have_any_common_name(tmp_path: Path, images: str, masks: str) -> None:
    make(tmp_path, f"{images}/b.jpg", f"{masks}/b.png", f"{images}/a.png", f"{masks}/a.png", f"{images}/.hidden.png")
    pairs = find_pairs(tmp_path)
    assert [pair.item for pair in pairs] == ["a", "b"]
    assert pairs[1].image == tmp_path / images / "b.jpg"
    assert pairs[1].mask == tmp_path / masks / "b.png"


@pytest.mark.parametrize("suffix", ["_mask", "-label", "_GT"])
def test_a_mask_may_have_a_suffix(tmp_path: Path, suffix: str) -> None:
    make(tmp_path, "images/a.jpg", f"masks/a{suffix}.png")
    assert [(pair.item, pair.mask.name) for pair in find_pairs(tmp_path)] == [("a", f"a{suffix}.png")]


def test_a_suffix_that_is_part_of_the_name_stays(tmp_path: Path) -> None:
    make(tmp_path, "images/a.jpg", "images/a_mask.jpg", "masks/a.png", "masks/a_mask.png")
    assert [pair.item for pair in find_pairs(tmp_path)] == ["a", "a_mask"]


def test_files_without_a_partner_are_named(tmp_path: Path) -> None:
    make(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png")
    with pytest.raises(UserError, match=r"b\.jpg"):
        find_pairs(tmp_path)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'images'"):
        find_pairs(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(UserError, match="'masks'"):
        find_pairs(tmp_path)
    (tmp_path / "masks").mkdir()
    with pytest.raises(UserError, match="no images"):
        find_pairs(tmp_path)
