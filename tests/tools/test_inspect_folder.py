"""What is understood of a folder: pairs, split, white level, hints, and masks that are likely wrong."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import UserError
from bench.tools.inspect_folder import doubt, inspect_folder, table
from bench.tools.reading import Reading
from tests.fixtures.masks import layers, pair, share, write


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "no pixel of the masks is crack: they are empty, or the labels are in another layer"),
        (
            "inverted",
            r"95\.\d\d % of all pixels are crack: the masks are likely inverted \(`--crack 0` reads them so\)",
        ),
    ],
)
def test_masks_that_are_likely_wrong_are_doubted(tmp_path: Path, kind: str, words: str) -> None:
    write(tmp_path, (lambda i, m: 0 * m) if kind == "empty" else (lambda i, m: 255 - m))
    assert re.search(words, doubt(inspect_folder(tmp_path, Reading(), tmp_path / "drawn")))


def test_inverted_masks_are_read_when_said(tmp_path: Path) -> None:
    contents = inspect_folder(write(tmp_path, lambda i, m: 255 - m), Reading(crack=("0",)), tmp_path / "drawn")
    assert contents.crack_share == pytest.approx(share())
    assert doubt(contents) == ""


@pytest.mark.parametrize(("factor", "white"), [(16, 4095), (1, 255), (64, 16383), (257, 65535)])
def test_the_white_level_is_that_of_the_camera(tmp_path: Path, factor: int, white: int) -> None:
    source = write(tmp_path, lambda i, m: m)
    for number in range(6):
        grey = pair(number)[0][..., 0].astype(np.uint16)
        grey[0, 0] = 255
        Image.fromarray(grey * np.uint16(factor)).save(source / "images" / f"w{number}.png")
    assert inspect_folder(source, Reading(), tmp_path / "drawn").white == white


def test_the_table_tells_what_was_understood(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        write(tmp_path / part / "x", layers(255, -1))
        for folder in ("images", "masks"):
            for number in range(6):
                path = tmp_path / part / "x" / folder / f"w{number}.png"
                path.rename(path.with_name(f"{part}{number}.png"))
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "overview.png")
    said = table(inspect_folder(tmp_path, Reading(), tmp_path / "drawn"), "(.*)")
    for text in (
        "pairs               12\n", "6 train, 6 test", "96x96 px", "alpha (12 masks)", "crack: 255; background: 0",
        f"{100 * share():.2f} %", "overview.png",
    ):  # fmt: skip
        assert text in said


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (
            [f"2016_{a}_{x}_{y}" for a in "ab" for x in (1, 641) for y in (1, 361)],
            r"2 source images: --photo '(.+)_\d+_\d+'",
        ),
        ([f"IMG{a}-{n}" for a in "ab" for n in range(4)], r"2 source images: --photo '(.+)[_-]\d+'"),
        ([f"wall_{n:03d}" for n in range(8)], ""),
        ([f"DSC{n:05d}" for n in range(8)], ""),
    ],
)
def test_names_that_look_like_crops_get_a_hint(tmp_path: Path, names: list[str], hint: str) -> None:
    write(tmp_path, lambda i, m: m, count=8)
    for number, name in enumerate(names):
        for part in ("images", "masks"):
            (tmp_path / part / f"w{number}.png").rename(tmp_path / part / f"{name}.png")
    said = table(inspect_folder(tmp_path, Reading(), tmp_path / "drawn"), "(.*)")
    assert hint in said
    assert ("hint" in said) == bool(hint)
    assert "hint" not in table(inspect_folder(tmp_path, Reading(photo="(.*)_.*"), tmp_path / "drawn"), "(.*)_.*")


def test_faulty_pairs_are_counted(tmp_path: Path) -> None:
    write(tmp_path, lambda i, m: m if i else m[:, :40])
    (tmp_path / "images/w3.png").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"w0\.png is 40x96 px.*\(1 more of 6 pairs are faulty\)"):
        inspect_folder(tmp_path, Reading(), tmp_path / "drawn")


def test_crack_and_classes_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="either --crack or --classes"):
        inspect_folder(write(tmp_path, lambda i, m: m), Reading(crack=("255",), classes=3), tmp_path / "drawn")
