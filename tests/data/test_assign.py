"""Assigning pairs to splits: each kind of split, with the weights that it balances."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.data.assign import SplitPlan, assign
from bench.data.dataset import Pair
from bench.errors import UserError


@pytest.fixture
def pairs(make_raw: Callable[..., Path]) -> list[Pair]:
    """Return twelve pairs of four source images."""
    names = [f"Volker_{i // 3}_{i}_0_0_0" for i in range(12)]
    root = make_raw(names)
    return [Pair(n, root / "images" / f"{n}.png", root / "masks" / f"{n}.png", n.split("_")[1]) for n in names]


def test_a_random_split_has_the_shares_of_the_plan(pairs: list[Pair]) -> None:
    split = assign("volker", pairs, SplitPlan("random", 0.25, 1 / 3, 0), [pair.photo for pair in pairs])
    assert {part: split.count(part) for part in set(split)} == {"test": 3, "validation": 3, "train": 6}


def test_a_grouped_split_keeps_source_images_together(pairs: list[Pair]) -> None:
    split = assign("volker", pairs, SplitPlan("grouped", 0.25, 0.0, 0), [pair.photo for pair in pairs])
    of_photo = {
        pair.photo: {part for p, part in zip(pairs, split, strict=True) if p.photo == pair.photo} for pair in pairs
    }
    assert all(len(parts) == 1 for parts in of_photo.values())
    assert split.count("test") == 3


def test_given_weights_are_used_instead_of_the_masks(pairs: list[Pair]) -> None:
    for pair in pairs:
        pair.mask.unlink()
    weights = [1.0, 0.0, 0.0] * 4
    split = assign("volker", pairs, SplitPlan("grouped", 0.25, 0.0, 0), [pair.photo for pair in pairs], weights)
    assert split.count("test") == 3


def test_an_unreadable_mask_counts_as_empty(pairs: list[Pair]) -> None:
    pairs[0].mask.write_bytes(b"no image")
    cv2.imwrite(str(pairs[1].mask), np.zeros((48, 64), np.uint8))
    assert assign("volker", pairs, SplitPlan("grouped", 0.5, 0.0, 0), [pair.photo for pair in pairs]).count("test") == 6


def test_one_source_image_cannot_be_split(pairs: list[Pair]) -> None:
    with pytest.raises(UserError, match=r"dataset volker: .*; set prepare\.split to random"):
        assign("volker", pairs, SplitPlan("grouped", 0.25, 0.0, 0), ["one"] * len(pairs))
