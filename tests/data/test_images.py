"""Decoding: what is whole comes out as it is, what is torn or of another kind is refused by name."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from bench.data.images import read_image, read_mask
from bench.errors import UserError

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]
LABELS = (np.arange(40 * 60).reshape(40, 60) // 100 % 3).astype(np.uint8)

ORIENTED = {  # EXIF orientation -> what makes the stored pixels upright
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, 3),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a, 1),
}


def save(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def test_an_image_is_rgb(tmp_path: Path) -> None:
    found = read_image(save(tmp_path / "a.png", RGB))
    assert found.dtype == np.uint8
    assert np.array_equal(found, RGB)


def test_a_jpeg_is_what_pillow_decodes(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", RGB, quality=95)
    assert np.array_equal(read_image(path), np.asarray(Image.open(path)))


def test_a_grey_image_becomes_rgb(tmp_path: Path) -> None:
    assert np.array_equal(read_image(save(tmp_path / "a.png", GREY)), np.repeat(GREY[:, :, None], 3, axis=2))


def test_transparency_is_dropped(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 7, np.uint8)])
    assert np.array_equal(read_image(save(tmp_path / "a.png", rgba)), RGB)


def test_a_palette_image_becomes_its_colours(tmp_path: Path) -> None:
    image = Image.fromarray(LABELS, "L").convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "a.png")
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8)
    assert np.array_equal(read_image(tmp_path / "a.png"), colours[np.asarray(image)])


@pytest.mark.parametrize("orientation", ORIENTED)
def test_an_image_is_turned_as_its_exif_says(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a.png", RGB, exif=exif)
    assert np.array_equal(read_image(path), ORIENTED[orientation](RGB))
    assert np.array_equal(
        read_mask(save(tmp_path / "m.png", GREY, exif=exif)),
        ORIENTED[orientation](GREY),
    )


def test_a_mask_is_grey_levels(tmp_path: Path) -> None:
    found = read_mask(save(tmp_path / "a.png", GREY))
    assert found.dtype == np.uint8
    assert np.array_equal(found, GREY)


@pytest.mark.parametrize("mode", ["1", "RGB", "RGBA", "P", "LA"])
def test_a_black_and_white_mask_is_0_and_255_in_every_mode(tmp_path: Path, mode: str) -> None:
    mask = np.where(LABELS == 2, 255, 0).astype(np.uint8)
    Image.fromarray(mask).convert(mode).save(tmp_path / "a.png")
    assert np.array_equal(read_mask(tmp_path / "a.png"), mask)


@pytest.mark.parametrize("crack", [255, 65535])
def test_a_mask_of_16_bits_is_not_read_as_empty(tmp_path: Path, crack: int) -> None:
    Image.fromarray(np.where(LABELS == 2, crack, 0).astype(np.uint16)).save(tmp_path / "a.png")
    found = read_mask(tmp_path / "a.png")
    assert np.array_equal(found > 127, LABELS == 2)


WIDE = np.linspace(0, 65535, 40 * 60).reshape(40, 60)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_an_image_of_16_bits_is_scaled_to_8(tmp_path: Path, kind: str) -> None:
    found = read_image(save(tmp_path / f"a.{kind}", WIDE.astype(np.uint16)))
    assert np.abs(found - WIDE[:, :, None] / 257).max() <= 1
    assert np.array_equal(read_image(save(tmp_path / f"b.{kind}", GREY.astype(np.uint16) * 257))[..., 0], GREY)


@pytest.mark.parametrize("white", [255, 4095, 16383])
def test_an_image_of_16_bits_is_scaled_by_its_white(tmp_path: Path, white: int) -> None:
    path = save(tmp_path / "a.png", np.round(GREY / 255 * white).astype(np.uint16))
    assert np.abs(read_image(path, white)[..., 0].astype(int) - GREY).max() <= 1
    deep = np.round(RGB[..., ::-1] / 255 * white).astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / "b.png"), deep)
    assert np.abs(read_image(tmp_path / "b.png", white).astype(int) - RGB).max() <= 1
    assert np.array_equal(read_image(save(tmp_path / "c.png", RGB), white), RGB)


@pytest.mark.parametrize(("kind", "mode"), [(np.float32, "F"), (np.int32, "I")])
def test_an_image_of_32_bits_is_refused_by_name(tmp_path: Path, kind: type, mode: str) -> None:
    with pytest.raises(UserError, match=rf"a\.tif has 32 bits per channel \(mode {mode}\).*: save it with 8 or 16"):
        read_image(save(tmp_path / "a.tif", WIDE.astype(kind)))


def test_a_soft_mask_of_16_bits_is_scaled_and_no_crack_vanishes(tmp_path: Path) -> None:
    wide = WIDE.astype(np.uint16)
    found = read_mask(save(tmp_path / "a.png", wide))
    assert np.array_equal(found > 0, wide > 0)
    assert np.array_equal(found > 127, wide > 127 * 257)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_classes_of_more_than_8_bits_are_kept(tmp_path: Path, kind: type) -> None:
    path = save(tmp_path / "a.tif", LABELS.astype(kind))
    assert np.array_equal(read_mask(path, classes=3), LABELS)
    assert np.array_equal(read_mask(path), LABELS)


@pytest.mark.parametrize(
    ("array", "span"),
    [
        (np.where(LABELS == 2, 300, 0).astype(np.uint16), "0 to 300"),
        (LABELS.astype(np.int32) - 1, "-1 to 1"),
        (np.full((4, 4), 0.5, np.float32), "0.5 to 0.5"),
        (np.full((4, 4), np.nan, np.float32), "nan to nan"),
    ],
)
def test_a_mask_that_8_bits_cannot_hold_is_refused_by_name(tmp_path: Path, array: np.ndarray, span: str) -> None:
    path = save(tmp_path / "a.tif", array)
    for classes in (1, 3):
        with pytest.raises(UserError, match=rf"a\.tif has values from {span} .*: save the mask as grey with 8 bits"):
            read_mask(path, classes)


def test_classes_of_a_grey_mask(tmp_path: Path) -> None:
    found = read_mask(save(tmp_path / "a.png", LABELS), classes=3)
    assert found.dtype == np.uint8
    assert np.array_equal(found, LABELS)


def test_classes_of_a_palette_mask_are_its_indices(tmp_path: Path) -> None:
    image = Image.fromarray(LABELS).convert("P")
    image.putdata(LABELS.ravel().tolist())
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    image.save(tmp_path / "a.png")
    assert np.array_equal(read_mask(tmp_path / "a.png", classes=3), LABELS)


def test_a_class_out_of_range_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", LABELS + np.uint8(1))
    with pytest.raises(UserError, match="values below 3") as caught:
        read_mask(path, classes=3)
    assert str(path) in str(caught.value)


def test_classes_in_colours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must be grey or palette"):
        read_mask(save(tmp_path / "a.png", RGB // 100), classes=3)


@pytest.mark.parametrize("kind", ["jpg", "png", "bmp", "tif"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, kind: str, share: float) -> None:
    path = save(tmp_path / f"a.{kind}", RGB)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    for read in (read_image, read_mask):
        with pytest.raises(UserError, match="cannot be read") as caught:
            read(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"<html>quota</html>", b"\x00" * 100, b"\xff\xd8\xff", b"GIF89a"])
def test_what_is_no_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.jpg cannot be read"):
        read_image(path)


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.mat"):
        with pytest.raises(UserError, match=rf"{name} is missing: run `bench download`"):
            read_mask(tmp_path / name)


def test_a_file_whose_suffix_lies_is_read_by_its_content(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "PNG")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert np.array_equal(read_image(tmp_path / "a.jpg"), RGB)


def crackforest(path: Path, segmentation: np.ndarray, **options: object) -> Path:
    savemat(path, {"groundTruth": {"Segmentation": segmentation, "Boundaries": segmentation > 1}}, **options)
    return path


def test_of_crackforest_only_label_2_is_crack(tmp_path: Path) -> None:
    labels = np.array([[1, 2, 3], [4, 2, 1]], np.uint16)
    found = read_mask(crackforest(tmp_path / "001.mat", labels))
    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 255, 0], [0, 255, 0]]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("share", [0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_truncated_ground_truth_is_refused_by_name(tmp_path: Path, share: float, compressed: bool) -> None:
    noise = np.random.default_rng(0).integers(1, 5, (50, 60), dtype=np.uint16)
    path = crackforest(tmp_path / "001.mat", noise, do_compression=compressed)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match="is not a CrackForest ground truth") as caught:
        read_mask(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("place", [0.02, 0.4, 0.45, 0.5, 0.6, 0.99])
def test_a_ground_truth_with_flipped_bits_is_refused_by_name(tmp_path: Path, place: float) -> None:
    noise = np.random.default_rng(0).integers(1, 5, (50, 60), dtype=np.uint16)
    path = crackforest(tmp_path / "001.mat", noise, do_compression=True)  # its stream has a checksum
    content = bytearray(path.read_bytes())
    start = 128  # the header before is free text
    content[start + int(place * (len(content) - start))] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not a CrackForest ground truth") as caught:
        read_mask(path)
    assert str(path) in str(caught.value)


def test_another_ground_truth_is_refused_by_name(tmp_path: Path) -> None:
    savemat(tmp_path / "001.mat", {"mask": np.ones((2, 2))})
    with pytest.raises(UserError, match=r"001\.mat is not a CrackForest ground truth"):
        read_mask(tmp_path / "001.mat")
    savemat(tmp_path / "002.mat", {"groundTruth": {"Boundaries": np.ones((2, 2))}})
    with pytest.raises(UserError, match=r"002\.mat is not a CrackForest ground truth"):
        read_mask(tmp_path / "002.mat")
