"""Masks drawn from annotations: values by label, the images found wherever they lie, or named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import UserError
from bench.tools.annotations import annotation_files
from bench.tools.draw_annotations import draw_annotations
from tests.fixtures.annotations import SIZE, box, coco, labelme, save_image

TRIANGLE = [[5, 3], [50, 3], [50, 9]]


def draw(folder: Path, masks: Path) -> list[str]:
    return draw_annotations(folder, annotation_files(folder), masks)


def test_labels_get_values_and_the_smaller_region_is_on_top(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    for name in ("a.jpg", "b.jpg"):
        save_image(folder / "images" / name)
    outlines = [(0, "spalling", [box(0, 0, 40, 40)]), (0, "crack", [box(10, 10, 30, 13)])]
    for order in (outlines, outlines[::-1]):
        coco(folder / "annotations" / "instances_train2017.json", ["a.jpg", "b.jpg"], order)
        assert draw(folder, tmp_path / "m") == ["crack", "spalling"]
        mask = np.asarray(Image.open(tmp_path / "m/instances_train2017/images/a.jpg.png"))
        assert mask.shape == SIZE
        assert np.bincount(mask.ravel(), minlength=3).tolist() == [40 * 60 - 1600, 60, 1540]
        assert not np.asarray(Image.open(tmp_path / "m/instances_train2017/images/b.jpg.png")).any()  # no annotation


@pytest.mark.parametrize(
    ("stated", "place"),
    [
        ("a.jpg", "a.jpg"),
        ("photos/a.jpg", "x/photos/a.jpg"),
        ("..\\photos\\a.jpg", "photos/a.jpg"),
        ("/home/someone/a.jpg", "photos/a.jpg"),
        ("Riss e\u0301.jpg", "Riss \u00e9.jpg"),
        ("renamed.jpg", "wall.jpg"),  # beside its file, with the same name
    ],
)
def test_the_image_is_found_wherever_it_lies(tmp_path: Path, stated: str, place: str) -> None:
    folder = tmp_path / "own"
    save_image(folder / place)
    labelme(folder / "wall.json", stated, {"crack": [TRIANGLE]})
    draw(folder, tmp_path / "m")
    assert (tmp_path / "m" / "labelme" / f"{place}.png").is_file()


def test_an_image_of_another_folder_is_not_meant(tmp_path: Path) -> None:
    save_image(tmp_path / "own" / "train" / "a.jpg")
    coco(tmp_path / "own" / "coco.json", ["val/a.jpg"], [(0, "crack", [box(1, 1, 9, 9)])])
    with pytest.raises(UserError, match=r"1 annotated images are missing.*val/a.jpg"):
        draw(tmp_path / "own", tmp_path / "m")


def test_of_images_with_one_name_the_one_beside_the_file_is_meant(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        save_image(tmp_path / "own" / part / "a.jpg")
        coco(tmp_path / "own" / part / "_annotations.coco.json", ["a.jpg"], [(0, "crack", [box(1, 1, 9, 9)])])
    draw(tmp_path / "own", tmp_path / "m")
    assert len(list((tmp_path / "m").rglob("*.png"))) == 2


def test_images_that_are_missing_or_twice_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    save_image(folder / "a.jpg")
    coco(folder / "one.json", ["a.jpg", "b.jpg", "c.jpg"], [])
    with pytest.raises(UserError, match=r"2 annotated images are missing, .*: b\.jpg, c\.jpg"):
        draw(folder, tmp_path / "m")
    coco(folder / "one.json", ["a.jpg"], [])
    coco(folder / "two.json", ["a.jpg"], [])
    with pytest.raises(UserError, match=r"1 images are in several annotation files: a\.jpg\. .*--masks"):
        draw(folder, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_size_that_is_not_the_images_is_named(tmp_path: Path) -> None:
    save_image(tmp_path / "a.jpg", (20, 30))
    labelme(tmp_path / "a.json", "a.jpg", {"crack": [TRIANGLE]})
    with pytest.raises(UserError, match=r"a\.json says that .*a\.jpg is 60x40 px, it is 30x20"):
        draw(tmp_path, tmp_path / "m")
    labelme(tmp_path / "a.json", "a.jpg", {"crack": [TRIANGLE]}, imageHeight=None)
    assert draw(tmp_path, tmp_path / "m") == ["crack"]
    with Image.open(tmp_path / "m/labelme/a.jpg.png") as mask:
        assert mask.size == (30, 20)
