"""Widths of labels and of cracks: drawn bars of known widths, at many angles."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.audit.width import COLUMNS, measure, table, widths
from bench.data.dataset import Pair

SIDE, SUB = 100, 8


def bar(width_px: float, degrees: float) -> np.ndarray:
    """Return the share of each pixel that a bar through the middle of the image covers."""
    rows, columns = np.mgrid[: SIDE * SUB, : SIDE * SUB] / SUB - SIDE / 2
    angle = np.deg2rad(degrees)
    covered = np.abs(rows * np.cos(angle) - columns * np.sin(angle)) <= width_px / 2
    return cv2.resize(covered.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def photograph(width_px: float, degrees: float, contrast: float = 90) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE))
    grey = 170 - contrast * cv2.GaussianBlur(bar(width_px, degrees), (0, 0), 0.6) + noise
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 130])
@pytest.mark.parametrize(("seen", "labelled"), [(2, 8), (3, 3), (6, 6), (8, 4)])
def test_both_widths_are_those_drawn(seen: int, labelled: int, degrees: int) -> None:
    label, image, visible = widths(photograph(seen, degrees), bar(labelled, degrees) >= 0.5)
    assert label == pytest.approx(labelled, abs=1.3)  # whole pixels
    assert image == pytest.approx(seen, abs=0.5)
    assert visible > 0.95


def test_without_crack_or_contrast_there_is_no_width() -> None:
    label, image, visible = widths(photograph(3, 0), np.zeros((SIDE, SIDE), bool))
    assert np.isnan([label, image]).all()
    assert visible == 0
    label, image, visible = widths(photograph(3, 0, contrast=0), bar(3, 0) >= 0.5)
    assert label >= 3
    assert np.isnan(image)
    assert visible < 0.2


def test_a_pair_that_cannot_be_measured_has_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    pair = Pair("a", tmp_path / "a.png", tmp_path / "a.png", "a")
    assert np.isnan(list(measure(pair, None, 1, False).values())).all()
    assert np.isnan(list(measure(pair, photograph(3, 0), 1, False).values())).all()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "a.png")
    assert np.isnan(list(measure(pair, photograph(3, 0), 1, False).values())).all()  # sizes differ


def test_the_table_has_medians_of_the_images_with_both_widths() -> None:
    rows = [(4.0, 2.0, 1.0), (6.0, 2.0, 0.5), (3.0, 2.5, 0.9), (5.0, np.nan, 0.0), (np.nan, np.nan, 0.0)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    row = table({"mine": frame, "none": frame[4:]}).frame.iloc[0]
    assert row["Images"] == 3
    assert (row["Label px"], row["Image px"], row["Label / image"]) == (4.0, 2.0, 2.0)
    assert row["Over 1 px off %"] == pytest.approx(200 / 3)
    assert row["Visible %"] == pytest.approx(100 * 2.4 / 4)


def test_a_label_that_fills_the_image_is_not_measured_against_a_background() -> None:
    label, image, visible = widths(photograph(3, 0), np.ones((SIDE, SIDE), bool))
    assert label > 50
    assert np.isnan(image)
    assert visible == 0
