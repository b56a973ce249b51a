"""Pairing by file name: unpaired files, other kinds of file and duplicate names are counted and named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.data.dataset import pairs_by_stem
from bench.errors import UserError, shorten


def fill(root: Path, *names: str) -> Path:
    for kind in ("images", "masks"):
        (root / kind).mkdir(exist_ok=True)
    for name in names:
        (root / name).write_bytes(b"")
    return root


def refusal(root: Path) -> str:
    with pytest.raises(UserError) as caught:
        pairs_by_stem(root, str)
    assert str(root) in str(caught.value)
    return str(caught.value)


def test_pairs_come_sorted_whatever_their_kind_of_file(tmp_path: Path) -> None:
    fill(tmp_path, "images/b.JPG", "masks/b.png", "images/a.tif", "masks/a.mat", "images/c.jpg.jpg", "masks/c.jpg.bmp")
    pairs = pairs_by_stem(tmp_path, str.upper)
    assert [(p.item, p.image.name, p.mask.name, p.photo) for p in pairs] == [
        ("a", "a.tif", "a.mat", "A"),
        ("b", "b.JPG", "b.png", "B"),
        ("c.jpg", "c.jpg.jpg", "c.jpg.bmp", "C.JPG"),
    ]


def test_hidden_files_do_not_count(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg", "masks/a.png", "images/.DS_Store", "masks/._a.png")
    assert [pair.item for pair in pairs_by_stem(tmp_path, str)] == ["a"]


def test_files_without_partner_are_counted_and_named(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg", "images/b.jpg", "masks/b.png", "masks/c.png", "masks/d.png")
    message = refusal(tmp_path)
    assert "3 of 2 images and 3 masks have no partner of the same name: " in message
    assert "images/a.jpg, masks/c.png, masks/d.png. Add the partner or remove the file." in message


def test_of_many_files_without_partner_the_first_are_named(tmp_path: Path) -> None:
    fill(tmp_path, *[f"images/{i:02d}.jpg" for i in range(12)])
    assert "images/00.jpg, images/01.jpg, images/02.jpg, images/03.jpg, images/04.jpg and 7 more" in refusal(tmp_path)


@pytest.mark.parametrize("make", [lambda root: fill(root), lambda root: None])
def test_no_images_say_how_to_get_them(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path)
    assert "holds no images: run `bench download`, then `dvc repro`" in refusal(tmp_path)


def test_a_folder_without_masks_names_the_images(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"")
    assert "1 of 1 images and 0 masks have no partner of the same name: images/a.jpg" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["images/readme.txt", "images/Thumbs.db", "masks/a.csv", "images/a.mat"])
def test_other_kinds_of_file_are_refused_by_name(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "images/x.jpg", "masks/x.png", name)
    assert f"1 entries are not images: {name.split('/')[1]}. Remove them." in refusal(tmp_path)


def test_a_folder_among_the_images_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "images/x.jpg", "masks/x.png")
    (tmp_path / "masks" / "more.png").mkdir()
    assert "1 entries are not images: more.png" in refusal(tmp_path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "images/x.jpg", "images/x.png", "masks/x.png")
    assert "1 names occur more than once: x. Keep one file of each." in refusal(tmp_path)


@pytest.mark.parametrize(
    ("names", "most", "shown"),
    [([], 5, ""), (["a"], 5, "a"), (["a", "b"], 2, "a, b"), (["a", "b", "c", "d"], 2, "a, b and 2 more")],
)
def test_long_lists_are_shortened(names: list[str], most: int, shown: str) -> None:
    assert shorten(names, most) == shown
