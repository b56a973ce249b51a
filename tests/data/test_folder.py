"""Pairs in a folder of one's own."""

import unicodedata
from pathlib import Path

import pytest

from bench.data.folder import find_layout
from bench.errors import UserError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(("images", "masks"), [("images", "masks"), ("img", "gt"), ("rgb", "labels")])
def test_folders_may_have_any_common_name(tmp_path: Path, images: str, masks: str) -> None:
    make(tmp_path, f"{images}/b.jpg", f"{masks}/b.png", f"{images}/a.png", f"{masks}/a.png", f"{images}/.hidden.png")
    pairs = find_layout(tmp_path).pairs
    assert [pair.item for pair in pairs] == ["a", "b"]
    assert pairs[1].image == tmp_path / images / "b.jpg"
    assert pairs[1].mask == tmp_path / masks / "b.png"


@pytest.mark.parametrize("suffix", ["_mask", "-label", "_GT"])
def test_a_mask_may_have_a_suffix(tmp_path: Path, suffix: str) -> None:
    make(tmp_path, "images/a.jpg", f"masks/a{suffix}.png")
    assert [(pair.item, pair.mask.name) for pair in find_layout(tmp_path).pairs] == [("a", f"a{suffix}.png")]


def test_a_suffix_that_is_part_of_the_name_stays(tmp_path: Path) -> None:
    make(tmp_path, "images/a.jpg", "images/a_mask.jpg", "masks/a.png", "masks/a_mask.png")
    assert [pair.item for pair in find_layout(tmp_path).pairs] == ["a", "a_mask"]


def test_files_without_a_partner_are_named(tmp_path: Path) -> None:
    make(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png")
    with pytest.raises(UserError, match=r"1 files have no partner: images/b\.jpg"):
        find_layout(tmp_path)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="contains no images"):
        find_layout(tmp_path)
    with pytest.raises(UserError, match=r"DeepCrack\.zip is not a folder: unpack"):
        find_layout(tmp_path / "DeepCrack.zip")
    make(tmp_path, "photos/a.jpg")
    with pytest.raises(UserError, match=r"no masks that differ from the images by name: .*--images GLOB --masks GLOB"):
        find_layout(tmp_path)


LAYOUTS = {
    "parts below": ["images/train/a.png", "annotations/train/a.png", "images/val/b.png", "annotations/val/b.png"],
    "parts above": ["train/images/a.jpg", "train/masks/a.png", "val/images/b.jpg", "val/masks/b.png"],
    "parts in the name": ["train_img/a.jpg", "train_lab/a.png", "val_img/b.jpg", "val_lab/b.png"],
    "a level down": ["d/e/tr/image/a.png", "d/e/tr/label/a.png", "d/e/tr/image/b.png", "d/e/tr/label/b.png"],
    "images in train": ["asphalt/train/a.jpg", "asphalt/label/a.png", "asphalt/train/b.jpg", "asphalt/label/b.png"],
    "words around": ["d/crack_224_images/a.png", "d/crack_224_masks/a.png", "d/crack_224_images/b.png",
                     "d/crack_224_masks/b.png"],
    "nnU-Net": ["imagesTr/a_0000.png", "labelsTr/a.png", "imagesTr/b_0000.png", "labelsTr/b.png"],
    "Supervisely": ["ds/img/a.jpg", "ds/masks_machine/a.jpg.png", "ds/img/b.jpg", "ds/masks_machine/b.jpg.png",
                    "ds/masks_human/a.jpg.png", "ds/masks_human/b.jpg.png"],
    "Roboflow": ["train/a.jpg", "train/a_mask.png", "train/b.jpg", "train/b_mask.png", "train/README.txt"],
    "by ending": ["a.jpg", "a.png", "b.jpg", "b.png"],
    "image and its ending": ["a.jpg", "a.jpg.png", "b.jpg", "b.jpg.png"],
    "suffix": ["images/a.webp", "gt/a_gt.png", "images/b.webp", "gt/b_gt.png"],
    "macOS": ["images/a.jpg", "masks/a.png", "images/b.jpg", "masks/b.png", "__MACOSX/images/._a.jpg", "masks/._a.png"],
    "previews": ["images/a.jpg", "masks/a.png", "images/b.jpg", "masks/b.png", "overview.jpg"],
    "a hidden test": ["imagesTr/a.png", "labelsTr/a.png", "imagesTr/b.png", "labelsTr/b.png", "imagesTs/c.png"],
}  # fmt: skip


@pytest.mark.parametrize("kind", LAYOUTS)
def test_layouts_are_found_as_they_lie(tmp_path: Path, kind: str) -> None:
    layout = find_layout(make(tmp_path, *LAYOUTS[kind]))
    assert [pair.item for pair in layout.pairs] == ["a", "b"]
    for number, pair in enumerate(layout.pairs):
        assert [pair.image, pair.mask] == [tmp_path / name for name in LAYOUTS[kind][2 * number : 2 * number + 2]]
    assert layout.parts == ({"a": "train", "b": "validation"} if kind.startswith("parts") else {})
    left_out = {"previews": ["overview.jpg"], "a hidden test": ["imagesTs/c.png"]}
    assert layout.left_out == left_out.get(kind, [n for n in LAYOUTS[kind] if "human" in n])


def test_equal_names_in_several_folders_get_their_folders_in_front(tmp_path: Path) -> None:
    layout = find_layout(
        make(tmp_path, *(f"{p}/{k}/1.png" for p in ("train", "test", "wall") for k in ("image", "label")))
    )
    assert {pair.item: pair.mask.parent.parent.name for pair in layout.pairs} == {
        "train_1": "train", "test_1": "test", "wall_1": "wall",
    }  # fmt: skip


def test_a_mask_of_another_part_is_no_partner(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 files have no partner"):
        find_layout(make(tmp_path, "train/images/a.jpg", "test/masks/a.png"))


@pytest.mark.parametrize(
    ("images", "masks", "names"),
    [
        ("photo/*.jpg", "photo/seg-*.png", ["photo/a.jpg", "photo/seg-a.png", "photo/b.jpg", "photo/seg-b.png"]),
        ("*/x/*.jpg", "*/y/*.png", ["a/x/1.jpg", "a/y/1.png", "b/x/1.jpg", "b/y/1.png"]),
        ("**/*_rgb.tif", "**/*_m.tif", ["p/q/a_rgb.tif", "p/q/a_m.tif", "b_rgb.tif", "b_m.tif"]),
        ("i/*.jpg", "m/*.png", ["i/a.jpg", "m/a.jpg.png", "i/b.jpg", "m/b.jpg.png"]),
    ],
)
def test_patterns_name_any_other_layout(tmp_path: Path, images: str, masks: str, names: list[str]) -> None:
    layout = find_layout(make(tmp_path, *names), images, masks)
    found = [[path.relative_to(tmp_path).as_posix() for path in (p.image, p.mask)] for p in layout.pairs]
    assert sorted(found) == sorted([names[:2], names[2:]])


def test_a_pattern_that_matches_nothing_or_comes_alone_is_named(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    with pytest.raises(UserError, match=r"matches --masks '\*\.tif'"):
        find_layout(tmp_path, "*.jpg", "*.tif")
    with pytest.raises(UserError, match="both --images and --masks"):
        find_layout(tmp_path, "*.jpg")


def test_composed_and_decomposed_spellings_of_a_name_pair_up(tmp_path: Path) -> None:
    name = "Mauerwerk für Riß é"
    make(tmp_path, "images/" + unicodedata.normalize("NFC", name) + ".png")
    make(tmp_path, "masks/" + unicodedata.normalize("NFD", name) + ".png")
    assert [pair.item for pair in find_layout(tmp_path).pairs] == [unicodedata.normalize("NFC", name)]


HARD = ["NA", "nan", "null", "None", "001", "1", "1e3", "1.0", "inf", "True", "a b", "a.b.c", "Riß_ü", "裂缝 1", "x,y",
        'q"q', "100%", "a#1", "(1)", "-dash", "e'q", "a&b", "[x]", "$HOME"]  # fmt: skip


def test_every_name_survives(tmp_path: Path) -> None:
    make(tmp_path, *(f"{part}/{name}.png" for name in HARD for part in ("images", "masks")))
    assert sorted(pair.item for pair in find_layout(tmp_path).pairs) == sorted(HARD)
