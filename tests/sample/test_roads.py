"""The scenes of roads: every one is a bright enough surface on which its cracks are darker."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.sample import roads
from bench.sample.scene import cracks_of, image_of, mask_of

NAMES = ["STREET", "COARSE", "PAVEMENT", "MOTORWAY", "SURVEY"]

Stream = Callable[[str], np.random.Generator]


def stream(seed: int) -> Stream:
    """Return a random stream for each purpose."""
    return lambda purpose: np.random.Generator(np.random.PCG64([seed, *purpose.encode()]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1])
def test_cracks_are_darker_than_the_surface_they_are_drawn_on(name: str, seed: int) -> None:
    scene, shape = getattr(roads, name), (96, 96)
    cracks = cracks_of(scene, stream(seed), shape, 96.0)
    bare, cracked = (image_of(scene, stream(seed), shape, 96.0, some).astype(float) for some in ([], cracks))
    mask = mask_of(scene.labelling, stream(seed), shape, 96.0, cracks) > 0
    assert 0 < mask.mean() < 0.5
    assert cracked[mask].mean() < bare[mask].mean()
    assert np.abs(cracked - bare).mean(-1)[~mask].mean() < np.abs(cracked - bare).mean(-1)[mask].mean()


@pytest.mark.parametrize("name", NAMES)
def test_a_surface_is_neither_black_nor_white_and_has_structure(name: str) -> None:
    image = image_of(getattr(roads, name), stream(3), (64, 64), 64.0, [])
    assert 30 < image.mean() < 230
    assert image.std() > 2


def test_grey_cameras_have_three_equal_channels() -> None:
    for name in NAMES:
        scene = getattr(roads, name)
        image = image_of(scene, stream(1), (48, 48), 48.0, [])
        assert bool((image == image[..., :1]).all()) == scene.grey
