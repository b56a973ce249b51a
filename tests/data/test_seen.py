"""What was stated to be seen marks the source images for testing that look like it, and no others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bench.data.seen import read_seen, seen_facts
from bench.errors import UserError
from bench.formats import prepared


@pytest.fixture
def textured(tmp_path: Path, make_prepared: Callable[..., Any]) -> prepared.Prepared:
    """Return a prepared dataset with a texture of its own in each image."""
    data = prepared.read(make_prepared())
    rng = np.random.default_rng(0)
    folder = tmp_path / "textured"
    textures = [
        np.clip(128 + 30 * rng.normal(size=data.images.shape[1:]), 0, 255).astype(np.uint8) for _ in data.images
    ]
    sizes = list(zip(data.items["native_h"], data.items["native_w"], strict=True))
    pairs = zip(textures, [np.asarray(mask) for mask in data.masks], sizes, strict=True)
    prepared.write(folder, data.items[["item", "file", "photo", "split"]], data.card, pairs)
    return prepared.read(folder)


def test_own_images_mark_the_photographs_they_look_like(tmp_path: Path, textured: prepared.Prepared) -> None:
    tests, trains = textured.split("test"), textured.split("train")
    own = tmp_path / "own"
    own.mkdir()
    for row in (tests[0], trains[0]):  # at half the size, as JPEG
        image = cv2.resize(np.asarray(textured.images[row]), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(own / f"{row}.jpg"), image[..., ::-1])
    seen = read_seen(None, own)
    assert seen is not None
    photo = textured.items["photo"].iloc[tests[0]]
    assert seen_facts(seen, textured) == {"sets": {}, "folder_images": 2, "photos": [photo]}


def test_sets_are_named_with_what_is_known_of_them(textured: prepared.Prepared) -> None:
    seen = read_seen("ceramic, uav_cc0", None)
    assert seen is not None
    assert seen_facts(seen, textured) == {"sets": {"ceramic": 100, "uav_cc0": 63}, "folder_images": None, "photos": []}
    nothing = read_seen("none", None)
    assert nothing is not None
    assert seen_facts(nothing, textured) == {"sets": {}, "folder_images": None, "photos": []}
    assert read_seen(None, None) is None


@pytest.mark.parametrize(
    ("names", "message"),
    [("none,ceramic", "--seen none,ceramic: give either"), ("ceramics", "did you mean 'ceramic'"), ("", "no set ''")],
)
def test_a_wrong_statement_is_refused(names: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_seen(names, None)
