"""Thumbnails and the groups that alike pictures are joined into."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.duplicates import TURNS, find_duplicates, join_groups, orientations, thumbnail


def noise(seed: int, side: int = 96) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8), dtype=np.uint8)
    return np.kron(coarse, np.ones((8, 8), np.uint8))


def test_a_thumbnail_has_mean_0_and_norm_1_and_ignores_light() -> None:
    first, second = thumbnail(noise(0)), thumbnail(noise(0) // 2 + 60)
    assert first.mean() == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert float((first * second).sum()) > 0.99


def test_the_eight_orientations_are_those_of_the_square() -> None:
    pictures = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    seen = dict(orientations(pictures))
    assert tuple(seen) == TURNS
    assert len({seen[turn].tobytes() for turn in TURNS}) == 8
    assert np.array_equal(seen["mirror"][0], pictures[0, :, ::-1])


def test_a_mirrored_copy_is_found_and_named() -> None:
    pictures = [noise(0), noise(1), np.ascontiguousarray(noise(0)[:, ::-1])]
    found = find_duplicates(np.stack([thumbnail(picture) for picture in pictures]))
    assert found[["a", "b", "turn"]].to_numpy().tolist() == [[0, 2, "mirror"]]
    assert 0.99 < found.loc[0, "similarity"] <= 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_joined_groups_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    names = [f"{i}" for i in range(10)]
    joined = join_groups(names, pairs)
    reach = np.eye(10, dtype=int)
    for a, b in pairs:
        reach[a, b] = reach[b, a] = 1
    connected = np.linalg.matrix_power(reach, 10) > 0
    for i in range(10):
        assert joined[i] == min(names[j] for j in range(10) if connected[i, j])
