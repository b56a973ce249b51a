"""Predictions: one perfect mask in any format scores as perfect or is refused by name, never as empty."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from bench.data.tiles import cut, ignore_covered, tile_places
from bench.data.views import of_tiles, views
from bench.errors import UserError
from bench.formats import predictions as formats_predictions
from bench.formats import prepared
from bench.tools.read_predictions import read_predictions

Make = Callable[..., Any]
PNG = {
    "0 and 255": lambda m: m * np.uint8(255),
    "0 and 1": lambda m: m.astype(np.uint8),
    "16 bit 0 and 1": lambda m: m.astype(np.uint16),
    "16 bit 0 and 255": lambda m: m * np.uint16(255),
    "16 bit 0 and 65535": lambda m: m * np.uint16(65535),
    "0 and 100": lambda m: m * np.uint8(100),
    "0 and 2": lambda m: m * np.uint8(2),
    "red": lambda m: np.dstack([0 * m, 0 * m, m * 255]).astype(np.uint8),
}
NPY = {
    "int64": lambda m: m.astype(np.int64),
    "uint8": lambda m: m.astype(np.uint8),
    "bool": lambda m: m,
    "float 0 and 255": lambda m: m.astype(np.float32) * 255,
    "with a channel": lambda m: m.astype(np.float32)[None],
    "float16": lambda m: m.astype(np.float16),
    "uint16 0 and 1": lambda m: m.astype(np.uint16),
    "uint16 0 and 255": lambda m: m * np.uint16(255),
}
REFUSED = {
    "logits": (lambda m: np.where(m, np.float32(3), np.float32(-3)), "from -3.0 to 3.0"),
    "two channels": (lambda m: np.stack([~m, m]), r"has shape \(2, 32, 32\)"),
    "1 and 2": (lambda m: m.astype(np.uint8) + np.uint8(1), r"contains the values 1 \(.*, 2 \(.*codes"),
    "0, 1 and 255": (lambda m: np.where(np.eye(32, dtype=bool), np.uint8(255), m), r"0 \(.*1 \(.*255 \("),
    "8 bits in 16": (lambda m: np.arange(1024, dtype=np.uint16).reshape(32, 32) // 5, "uint16 from 0 to 204"),
    "structured": (lambda m: np.zeros((32, 32), [("a", "u1"), ("b", "u1")]), "one number per pixel"),
    "large": (lambda m: np.zeros((4096, 512), np.uint8), "512x4096 px"),
}


@pytest.fixture
def data(workspace: Make) -> prepared.Prepared:
    return prepared.read(workspace(["cfd"], {"unet": 0.75}) / "prepared" / "cfd")


def write(folder: Path, data: prepared.Prepared, store: Callable[[np.ndarray], np.ndarray], suffix: str) -> Path:
    folder.mkdir()
    for row in data.split("test"):
        path, array = folder / f"{data.items['item'].iloc[row]}{suffix}", store(np.asarray(data.masks[row]) > 0)
        np.save(path, array) if suffix == ".npy" else cv2.imwrite(str(path), array)
    return folder


@pytest.mark.parametrize(("kind", "suffix"), [*((k, ".png") for k in PNG), *((k, ".npy") for k in NPY)])
def test_a_perfect_mask_is_perfect(tmp_path: Path, data: prepared.Prepared, kind: str, suffix: str) -> None:
    levels = read_predictions(write(tmp_path / "maps", data, (PNG if suffix == ".png" else NPY)[kind], suffix), data)
    for row in data.split("test"):
        assert np.array_equal(levels[data.items["item"].iloc[row]] >= 128, np.asarray(data.masks[row]) > 0)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_could_mean_several_things_is_refused(tmp_path: Path, data: prepared.Prepared, kind: str) -> None:
    store, words = REFUSED[kind]
    with pytest.raises(UserError, match=words) as caught:
        read_predictions(write(tmp_path / "maps", data, store, ".npy"), data)
    assert "\n" not in str(caught.value)


def test_class_maps_of_a_dataset_of_classes_are_crack_above_0(tmp_path: Path, data: prepared.Prepared) -> None:
    data.card["classes"] = 3
    folder = write(tmp_path / "maps", data, lambda m: m * (1 + np.arange(32) % 2).astype(np.uint8), ".png")
    levels = read_predictions(folder, data)
    for row in data.split("test"):
        assert np.array_equal(levels[data.items["item"].iloc[row]] >= 128, np.asarray(data.masks[row]) > 0)


def test_other_sizes_are_refused_before_they_are_read_or_resized(tmp_path: Path, data: prepared.Prepared) -> None:
    folder = write(tmp_path / "maps", data, lambda m: m.repeat(2, 0).repeat(2, 1) * np.uint8(255), ".png")
    with pytest.raises(UserError, match=r"not 32x32 px: .*\(64x64 px\).*--resize nearest"):
        read_predictions(folder, data)
    levels = read_predictions(folder, data, resize=True)
    for row in data.split("test"):
        assert np.array_equal(levels[data.items["item"].iloc[row]] >= 128, np.asarray(data.masks[row]) > 0)


def test_what_is_resized_is_what_opencv_makes_of_it(tmp_path: Path, data: prepared.Prepared) -> None:
    rng, maps = np.random.default_rng(0), tmp_path / "maps"
    wide = {data.items["item"].iloc[row]: rng.integers(0, 256, (37, 71), np.uint8) for row in data.split("test")}
    levels = read_predictions(write_wholes(maps, wide), data, resize=True)
    for item, array in wide.items():
        expected = cv2.resize(array, (32, 32), interpolation=cv2.INTER_NEAREST_EXACT)
        assert np.array_equal(levels[item], expected)


HEADER = b"{'descr': '%s', 'fortran_order': False, 'shape': %s, }"
FORGED = {
    "a header of 4 GB": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "its header has 4294967295 bytes"),
    "more pixels than a computer has": (HEADER % (b"|u1", b"(99999999999, 99999999999)"), "mmap length"),
    "a negative side": (HEADER % (b"|u1", b"(-5, 4)"), "negative dimensions"),
    "objects": (HEADER % (b"|O", b"(32, 32)"), "Python objects"),
    "code": (b"__import__('os').abort()", "malformed node"),
    "an archive": (b"PK\x03\x04" + bytes(40), "magic string"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_array_is_a_line(tmp_path: Path, data: prepared.Prepared, kind: str) -> None:
    content, reason = FORGED[kind]
    if not content.startswith((b"\x93", b"PK")):
        content = b"\x93NUMPY\x01\x00" + (128).to_bytes(2, "little") + content.ljust(127) + b"\n"
    folder = write(tmp_path / "maps", data, lambda m: m, ".npy")
    path = min(folder.glob("*.npy"))
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{path.name} is not a readable array \(.*{reason}"):
        read_predictions(folder, data)


@pytest.mark.parametrize("resize", [False, True])
def test_sizes_are_compared_before_pixels_are_decoded(
    tmp_path: Path, data: prepared.Prepared, resize: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "maps", data, lambda m: m, ".png")
    path = min(folder.glob("*.png"))
    Image.new("1", (30_000, 30_000)).save(path)
    monkeypatch.setattr(formats_predictions, "decode", lambda path: pytest.fail("decoded"))
    with pytest.raises(UserError, match=rf"{path.name} .*30000x30000 px"):
        read_predictions(folder, data, resize)


def test_a_prediction_that_lies_on_its_side_is_refused(tmp_path: Path, tiled: prepared.Prepared) -> None:
    folder = write_wholes(tmp_path / "maps", {name: np.zeros(size, np.uint8) for name, size in SIZES.items()})
    turned, exif = Image.new("RGB", (70, 40)), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned.save(folder / "wide.png", exif=exif)
    with pytest.raises(UserError, match=r"wide.png is 40x70 px when it is turned upright"):
        read_predictions(folder, tiled)


def test_few_probabilities_are_not_codes(tmp_path: Path, data: prepared.Prepared) -> None:
    folder = write(tmp_path / "maps", data, lambda m: np.where(m, np.uint8(192), np.uint8(64)), ".png")
    assert {int(v) for array in read_predictions(folder, data).values() for v in np.unique(array)} == {64, 192}


SIDE = 32
SIZES = {"wide": (40, 70), "small": (20, 25)}
"""Test images of the tiled dataset: of several tiles, and smaller than a tile."""


@pytest.fixture
def tiled(tmp_path: Path) -> prepared.Prepared:
    rng = np.random.default_rng(0)
    rows, pairs = [], []
    for name, (height, width) in SIZES.items():
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        labels = (rng.random((height, width)) < 0.3).astype(np.uint8)
        places = tile_places(height, width, SIDE, SIDE)
        for number, (top, left) in enumerate(places):
            tile, mask = cut(image, labels, (top, left), SIDE)
            pairs.append((tile, ignore_covered(mask, places, number), (height, width)))
            item = name if len(places) == 1 else f"{name}_{top}_{left}"
            row = {"item": item, "file": f"{name}.png", "photo": name, "image": name, "split": "test"}
            rows.append(row | {"top": top, "left": left})
    card = {"dataset": "cfd", "classes": 1, "settings": {"image_size": SIDE, "geometry": "tiles"}}
    prepared.write(tmp_path / "tiled", pd.DataFrame(rows), card, pairs)
    return prepared.read(tmp_path / "tiled")


def write_wholes(folder: Path, levels: dict[str, np.ndarray]) -> Path:
    folder.mkdir()
    for name, array in levels.items():
        cv2.imwrite(str(folder / f"{name}.png"), array)
    return folder


@pytest.fixture
def levels() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.integers(0, 256, size, np.uint8) for name, size in SIZES.items()}


def test_whole_images_are_cut_into_the_tiles_of_a_tiled_dataset(
    tmp_path: Path, tiled: prepared.Prepared, levels: dict[str, np.ndarray]
) -> None:
    tiles = read_predictions(write_wholes(tmp_path / "maps", levels), tiled)
    assert list(tiles) == list(tiled.items["item"])
    assert {tile.shape for tile in tiles.values()} == {(SIDE, SIDE)}
    read_whole = of_tiles(tiled, lambda item, _: tiles[item])
    for image in views(tiled, "test"):
        assert np.array_equal(read_whole(image), levels[image.name])


def test_tiles_of_a_tiled_dataset_are_read_as_they_are(
    tmp_path: Path, tiled: prepared.Prepared, levels: dict[str, np.ndarray]
) -> None:
    tiles = read_predictions(write_wholes(tmp_path / "maps", levels), tiled)
    again = read_predictions(write_wholes(tmp_path / "tiles", tiles), tiled)
    assert all(np.array_equal(again[item], tile) for item, tile in tiles.items())


def test_whole_images_of_another_size_or_without_partner_are_refused_by_name(
    tmp_path: Path, tiled: prepared.Prepared, levels: dict[str, np.ndarray]
) -> None:
    small = {"wide": levels["wide"][:32, :32], "small": levels["small"]}
    folder = write_wholes(tmp_path / "maps", small)
    with pytest.raises(UserError, match=r"not 70x40 px: wide.png \(32x32 px\)"):
        read_predictions(folder, tiled)
    assert read_predictions(folder, tiled, resize=True).keys() == set(tiled.items["item"])
    (folder / "small.png").rename(folder / "other.png")
    with pytest.raises(UserError, match=r"2 test images of cfd; missing: small.png; no test item: other.png"):
        read_predictions(folder, tiled)
