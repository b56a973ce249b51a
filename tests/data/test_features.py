"""What is kept of an image: exact pixels, a thumbnail, local features."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.features import PICTURE, POINTS, extract, extract_all
from bench.errors import UserError


def picture(seed: int, side: int = 400) -> np.ndarray:
    """Return an RGB image with structure at several scales."""
    generator = np.random.default_rng(seed)
    total = np.zeros((side, side, 3), np.float32)
    for cells in (4, 16, 64, 150):
        coarse = generator.standard_normal((cells, cells, 3)).astype(np.float32)
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 30 * total, 0, 255).astype(np.uint8)


def test_shapes_and_ranges() -> None:
    features = extract(picture(0))
    points, descriptors = features.local.points, features.local.descriptors
    assert 0 < len(points) == len(descriptors) <= POINTS
    assert (points >= 0).all()
    assert (points <= 1).all()
    assert descriptors.dtype == np.uint8
    assert descriptors.shape[1] == 128
    assert features.local.picture.shape == (PICTURE, PICTURE)
    assert np.linalg.norm(features.thumbnail) == pytest.approx(1, abs=1e-4)


def test_one_pixel_changes_the_hash_and_little_else() -> None:
    image = picture(0)
    other = image.copy()
    other[0, 0] = 255 - other[0, 0]
    first, second = extract(image), extract(other)
    assert first.pixels != second.pixels
    assert float((first.thumbnail * second.thumbnail).sum()) > 0.999


def test_a_blank_image_has_no_points() -> None:
    features = extract(np.full((64, 64, 3), 128, np.uint8))
    assert features.local.points.shape == (0, 2)
    assert features.local.descriptors.shape == (0, 128)
    assert not features.thumbnail.any()


def test_files_are_read_in_order_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    for seed in range(3):
        cv2.imwrite(str(tmp_path / f"{seed}.png"), picture(seed, 64)[..., ::-1])
    paths = sorted(tmp_path.iterdir())
    assert [f.pixels for f in extract_all(paths)] == [extract(picture(seed, 64)).pixels for seed in range(3)]
    paths[1].write_bytes(b"torn")
    with pytest.raises(UserError, match=r"1\.png"):
        extract_all(paths)
