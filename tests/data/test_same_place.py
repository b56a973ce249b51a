"""A grouped split keeps together what shows one place, whatever the names say."""

from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest

from bench.data.dataset import Pair
from bench.data.same_place import same_place_groups
from tests.data.test_crops import picture


def pairs(folder: Path, images: dict[str, np.ndarray]) -> list[Pair]:
    """Write images; each is its own source image by its name."""
    for name, image in images.items():
        cv2.imwrite(str(folder / f"{name}.png"), image)
    return [Pair(name, folder / f"{name}.png", folder / f"{name}.png", name) for name in images]


@pytest.fixture
def every(tmp_path: Path) -> list[Pair]:
    """Return two overlapping crops, a duplicate of one, and another image."""
    whole = picture(0)
    crops = {"a": whole[:, :260], "b": whole[:, 140:], "c": np.ascontiguousarray(whole[::-1, 140:])}
    return pairs(tmp_path, crops | {"d": picture(1)})


def test_overlapping_crops_and_duplicates_are_one_group(every: list[Pair]) -> None:
    groups, found = same_place_groups("walls", ModuleType("walls"), every)
    assert groups == ["a", "a", "a", "d"]
    assert found == {"duplicates": [["b", "c"]], "overlaps": [["a", "b"]]}


def test_a_list_of_the_author_replaces_the_search_for_overlaps(every: list[Pair]) -> None:
    plugin: ModuleType = SimpleNamespace(SAME_PLACE={})  # type: ignore[assignment]
    groups, found = same_place_groups("walls", plugin, every)
    assert groups == ["a", "b", "b", "d"]
    assert found == {"duplicates": [["b", "c"]]}


def test_an_unreadable_image_stays_alone(every: list[Pair], tmp_path: Path) -> None:
    (tmp_path / "e.png").write_bytes(b"torn")
    torn = Pair("e", tmp_path / "e.png", tmp_path / "e.png", "e")
    assert same_place_groups("walls", ModuleType("walls"), [*every, torn])[0] == ["a", "a", "a", "d", "e"]


def test_different_images_join_nothing(tmp_path: Path) -> None:
    alone = pairs(tmp_path, {name: picture(seed) for seed, name in enumerate("abcd")})
    assert same_place_groups("walls", ModuleType("walls"), alone) == (["a", "b", "c", "d"], {})
