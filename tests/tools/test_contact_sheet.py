"""The contact sheet: each pair twice, crack in red, ignored pixels in blue."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.convention import Convention
from bench.data.folder import find_layout
from bench.tools.contact_sheet import COLOURS, SIDE, write_contact_sheet
from tests.fixtures.masks import framed, write


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_crack_is_drawn_on_the_second_image_only(tmp_path: Path, suffix: str) -> None:
    pairs = find_layout(write(tmp_path / "own", lambda i, m: m, suffix=suffix)).pairs
    write_contact_sheet(tmp_path / "sheet.png", pairs, Convention())
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    red = (sheet == COLOURS[0]).all(axis=2)
    assert red[:, SIDE + 12 : 2 * SIDE + 12].any()
    assert not red[:, :SIDE].any()
    assert sheet.shape[0] > 3 * SIDE


def test_ignored_pixels_are_blue(tmp_path: Path) -> None:
    pairs = find_layout(write(tmp_path / "own", lambda i, m: framed(m), count=1)).pairs
    write_contact_sheet(tmp_path / "sheet.png", pairs, Convention((1,), (0,), (), (255,)))
    sheet = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    blue = sheet[..., 2] - sheet[..., 0] > 60
    assert blue.mean() > 0.05
    assert (sheet == COLOURS[0]).all(axis=2).any()
