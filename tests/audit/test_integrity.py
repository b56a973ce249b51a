"""Faults of single files: each flag is set by the file that has the fault, and by no other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.audit.integrity import COLUMNS, FLAGS, doubt_about_all, inspect, unpaired
from bench.data.dataset import Pair


def flags_of(folder: Path, image: Image.Image, mask: np.ndarray, suffix: str = "png", **options: object) -> list[str]:
    image.save(folder / f"a.{suffix}", **options)
    Image.fromarray(mask).save(folder / "a_mask.png")
    row, _ = inspect(Pair("a", folder / f"a.{suffix}", folder / "a_mask.png", "a"), 1)
    assert tuple(row) == COLUMNS
    return [flag for flag in str(row["flags"]).split("; ") if flag]


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture
def line() -> np.ndarray:
    mask = np.zeros((32, 32), np.uint8)
    mask[10:12] = 255
    return mask


def test_a_good_pair_has_no_flag(tmp_path: Path, noise: np.ndarray, line: np.ndarray) -> None:
    assert flags_of(tmp_path, Image.fromarray(noise), line) == []


def test_each_fault_has_its_flag(tmp_path: Path, noise: np.ndarray, line: np.ndarray) -> None:
    rgb = Image.fromarray(noise)
    assert flags_of(tmp_path, rgb.resize((16, 16)), line) == ["sizes differ"]
    assert flags_of(tmp_path, Image.new("RGB", (32, 32), (9, 8, 7)), line) == ["blank image"]
    assert flags_of(tmp_path, rgb, 0 * line) == ["empty mask"]
    assert flags_of(tmp_path, rgb, np.full_like(line, 255)) == ["full mask"]
    assert flags_of(tmp_path, rgb.convert("RGBA"), line) == ["alpha"]
    assert flags_of(tmp_path, rgb.convert("L"), line) == ["grey image"]
    assert "label values" in flags_of(tmp_path, rgb, line // 255)
    assert "lossy mask" in flags_of(tmp_path, rgb, np.arange(1024, dtype=np.uint8).reshape(32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert flags_of(tmp_path, rgb, line, "jpg", exif=exif) == ["turned by EXIF"]


def test_masks_of_unusual_conventions_are_flagged(tmp_path: Path, noise: np.ndarray, line: np.ndarray) -> None:
    rgb = Image.fromarray(noise)
    codes = line.copy()
    codes[20] = 127
    assert flags_of(tmp_path, rgb, codes) == ["coded mask"]
    assert flags_of(tmp_path, rgb, line > 0) == []  # 1 bit
    assert flags_of(tmp_path, rgb, line.astype(np.uint16)) == []
    assert "alpha mask" in flags_of(tmp_path, rgb, np.dstack([0 * line, 0 * line, 0 * line, line]))
    assert "colour mask" in flags_of(tmp_path, rgb, np.dstack([line, 0 * line, 0 * line]))
    assert "colour mask" in flags_of(tmp_path, rgb, noise)


def test_ignored_pixels_of_a_coded_mask_do_not_count(tmp_path: Path, noise: np.ndarray, line: np.ndarray) -> None:
    mask = line // 255
    mask[:8] = 255
    Image.fromarray(noise).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "m.png")
    row, _ = inspect(Pair("a", tmp_path / "a.png", tmp_path / "m.png", "a"), 1, coded=True)
    assert (row["flags"], row["above_0"], row["above_127"]) == ("", 2 / 24, 2 / 24)


def test_shares_are_those_of_the_mask(tmp_path: Path, noise: np.ndarray, line: np.ndarray) -> None:
    line[20] = 100
    Image.fromarray(noise).save(tmp_path / "a.png")
    Image.fromarray(line).save(tmp_path / "m.png")
    row, image = inspect(Pair("a", tmp_path / "a.png", tmp_path / "m.png", "a"), 1)
    assert (row["above_0"], row["above_127"], row["labels"]) == (3 / 32, 2 / 32, "0 100 255")
    assert image is not None
    assert np.array_equal(image, noise)


def test_an_unreadable_file_is_flagged_and_named(tmp_path: Path, line: np.ndarray) -> None:
    (tmp_path / "a.png").write_bytes(b"torn")
    Image.fromarray(line).save(tmp_path / "m.png")
    row, image = inspect(Pair("a", tmp_path / "a.png", tmp_path / "m.png", "a"), 1)
    assert image is None
    assert row["flags"] == "unreadable"
    assert row["flags"] in FLAGS
    assert "a.png" in row["labels"]


def test_files_without_a_partner_are_listed(tmp_path: Path) -> None:
    for name in ("images/a.jpg", "images/b.jpg", "masks/b.png", "masks/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert unpaired(tmp_path) == ["images/a.jpg", "masks/c.png"]


def test_masks_that_are_unlikely_together_are_named() -> None:
    frame = pd.DataFrame({"above_127": [0.0, 0.0, np.nan]})
    assert "nothing is labelled" in str(doubt_about_all(frame))
    assert "may be inverted" in str(doubt_about_all(frame.assign(above_127=[0.97, 0.95, np.nan])))
    assert doubt_about_all(frame.assign(above_127=[0.0, 0.9, 0.1])) is None
    assert doubt_about_all(frame[2:]) is None
