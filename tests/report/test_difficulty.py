"""What can be measured to be hard about an image, on images drawn by hand."""

import numpy as np
import pandas as pd
import pytest

from bench.report.difficulty import HARD, difficulty, likely_cause


def draw(width: int, crack: int = 50, background: int = 150) -> tuple[np.ndarray, np.ndarray]:
    image, mask = np.full((64, 64, 3), background, np.uint8), np.zeros((64, 64), bool)
    mask[30 : 30 + width, 4:60] = True
    image[mask] = crack
    return image, mask


def test_share_and_width_are_those_drawn() -> None:
    found = difficulty(*draw(5))
    assert found["share_pct"] == pytest.approx(100 * 5 * 56 / 64**2)
    assert found["width_px"] == pytest.approx(5, rel=0.15)  # the skeleton is a little shorter than the line


def test_a_dark_crack_has_positive_contrast_and_a_light_one_negative() -> None:
    assert difficulty(*draw(5))["contrast"] == pytest.approx(100)  # grey levels, over a deviation of at least 1
    assert difficulty(*draw(5, crack=200))["contrast"] == pytest.approx(-50)


def test_noise_is_texture() -> None:
    image, mask = draw(3)
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 20, image.shape), 0, 255).astype(np.uint8)
    assert difficulty(image, mask)["texture"] < difficulty(noisy, mask)["texture"]


def test_without_crack_all_is_nan() -> None:
    found = difficulty(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool))
    assert found.keys() == HARD.keys()
    assert all(np.isnan(value) for value in found.values())


def test_the_most_unusual_measure_is_named() -> None:
    table = pd.DataFrame(dict.fromkeys(HARD, 1.0), index=[*"abcdefghijk"])
    table.loc["b", "width_px"] = 0.5
    assert "thin crack" in likely_cause(table, "b")
    assert "thin crack" not in likely_cause(table, "a")
    assert "rough texture" in likely_cause(table.assign(texture=[*10 * [1.0], 9.0]), "k")
    assert "too few images to tell" in likely_cause(table.drop(index="a"), "b")


def test_a_cause_is_named_only_where_the_rank_is_extreme() -> None:
    table = pd.DataFrame({name: [float(place) for place in range(48)] for name in HARD})
    table[["width_px", "share_pct", "texture"]] = 1.0
    assert "no measure is unusual" in likely_cause(table, 22)  # harder than 25 of 47
    assert "no measure is unusual" in likely_cause(table, 5)  # 42 of 47
    assert "low contrast at the crack (harder than 43 of 47 others)" in likely_cause(table, 4)
