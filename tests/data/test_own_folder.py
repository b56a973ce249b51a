"""A user's folder becomes canonical files: masks of one convention that lie on their images, images of 8 bits."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.data.convention import Convention
from bench.data.dataset import Pair
from bench.data.images import read_image, read_mask
from bench.data.own_folder import canonical_mask, convention_of, from_folder, turn_of
from bench.errors import UserError
from tests.fixtures.masks import framed, pair, write


def plugin(folder: Path, **fields: Any) -> ModuleType:
    module = ModuleType("own")
    module.__dict__.update({"FOLDER": str(folder), "CONVENTION": Convention((255,), (0,))} | fields)
    return module


def filled(target: Path, module: ModuleType) -> Path:
    for part in ("images", "masks"):
        (target / part).mkdir(parents=True)
    from_folder(module).fill(target)
    return target


def rotated(folder: Path, orientation: int, height: int = 96, width: int = 96) -> Pair:
    """Write an image that is stored rotated, and a mask drawn on its stored pixels."""
    image, mask = pair(0, height, width)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(folder / "a.png", exif=exif)
    Image.fromarray(mask).save(folder / "m.png")
    return Pair("a", folder / "a.png", folder / "m.png", "a")


def lies_on(of: Pair, mask: np.ndarray) -> bool:
    """Return whether the image is dark where its mask is crack."""
    grey = read_image(of.image)[..., 0]
    return grey.shape == mask.shape and bool((grey[mask > 0] < 120).mean() > 0.95)


def test_masks_are_rewritten_and_images_are_copied(tmp_path: Path) -> None:
    source = write(tmp_path / "own", lambda i, m: framed(m))
    module = plugin(source, CONVENTION=Convention((1,), (0,), (), (255,)))
    target = filled(tmp_path / "d", module)
    assert (target / "images/w0.png").read_bytes() == (source / "images/w0.png").read_bytes()
    assert np.array_equal(read_mask(target / "masks/w0.png", 1, coded=True), framed(pair(0)[1]))
    facts = from_folder(module).facts
    assert facts["labels"]["ignore"] == [255]
    assert facts == from_folder(module).facts
    Image.fromarray(framed(pair(1)[1])).save(source / "masks/w0.png")
    assert from_folder(module).facts["sha256"] != facts["sha256"]


def test_16_bit_images_are_scaled_by_the_white_of_their_camera(tmp_path: Path) -> None:
    source = write(tmp_path / "own", lambda i, m: m)
    for number in range(6):
        grey = pair(number)[0][..., 0].astype(np.uint16)
        Image.fromarray(grey * 16).save(source / "images" / f"w{number}.png")
    target = filled(tmp_path / "d", plugin(source, WHITE=4095))
    for number in range(6):
        found = read_image(target / "images" / f"w{number}.png")
        assert np.abs(found[..., 0].astype(int) - pair(number)[0][..., 0]).max() <= 1


@pytest.mark.parametrize("size", [(48, 48), (192, 192)])
def test_a_mask_of_another_size_is_resized_to_its_image(tmp_path: Path, size: tuple[int, int]) -> None:
    of = rotated(tmp_path, 1)
    Image.fromarray(pair(0)[1]).resize(size, Image.Resampling.NEAREST).save(of.mask)
    mask = canonical_mask(of, Convention((255,), (0,)))
    assert mask.shape == (96, 96)
    assert ((mask > 0) == (pair(0)[1] > 0)).mean() > 0.97


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    of = rotated(tmp_path, 1)
    Image.fromarray(np.zeros((96, 80), np.uint8)).save(of.mask)
    with pytest.raises(UserError, match=r"m\.png is 80x96 px, its image 96x96: they must have the same shape"):
        turn_of(of)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_sizes_tell_that_a_mask_was_drawn_on_the_stored_pixels(tmp_path: Path, orientation: int) -> None:
    of = rotated(tmp_path, orientation, 64, 96)
    assert turn_of(of) == orientation
    assert lies_on(of, canonical_mask(of, Convention((255,), (0,))))
    Image.fromarray(np.zeros((96, 64), np.uint8)).save(of.mask)
    assert turn_of(of) == 1


@pytest.mark.parametrize(("orientation", "width"), [(3, 96), (3, 128), (6, 96), (2, 96)])
def test_what_sizes_do_not_tell_is_refused_until_it_is_said(tmp_path: Path, orientation: int, width: int) -> None:
    of = rotated(tmp_path, orientation, 96, width)
    with pytest.raises(UserError, match=rf"a\.png is stored rotated \(EXIF orientation {orientation}\).*--exif ignore"):
        turn_of(of)
    assert lies_on(of, canonical_mask(of, Convention((255,), (0,)), "ignore"))
    assert turn_of(of, "rotate") == 1


def test_a_mask_with_the_orientation_of_its_image_lies_on_it(tmp_path: Path) -> None:
    of, exif = rotated(tmp_path, 6, 64, 96), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pair(0, 64, 96)[1]).save(of.mask, exif=exif)
    assert lies_on(of, canonical_mask(of, Convention((255,), (0,))))


def test_files_of_earlier_versions_state_a_crack_value() -> None:
    module = ModuleType("old")
    assert convention_of(module) == Convention()
    module.__dict__["CRACK_VALUE"] = 2
    assert convention_of(module).crack == (2,)
    assert len(convention_of(module).background) == 255
