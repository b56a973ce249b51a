"""One synthetic image of a plain scene: what is drawn, what is labelled."""

import numpy as np
import pytest

from bench.sample.cracks import Crack, Style
from bench.sample.scene import Labelling, Scene, cracks_of, image_of, mask_of

SHAPE = (32, 40)


def stream(purpose: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(purpose.encode())))


@pytest.fixture
def scene() -> Scene:
    return Scene(
        surface=lambda rng, shape, unit: np.full((*shape, 3), 150.0),
        over=lambda rng, rgb, unit: rgb,
        style=Style(half_width=(0.02, 0.02), depth=(0.6, 0.6)),
        labelling=Labelling(1.0, 0.0),
        camera_noise=0.0,
    )


@pytest.fixture
def crack() -> Crack:
    path = np.stack([np.full(80, 16.5), np.linspace(0, 40, 80)], 1)
    return Crack(path, np.full(80, 2.0), np.full(80, 0.6))


def test_without_cracks_and_noise_the_image_is_the_surface(scene: Scene) -> None:
    image = image_of(scene, stream, SHAPE, 40.0, [])
    assert image.dtype == np.uint8
    assert (image == 150).all()
    assert not mask_of(scene.labelling, stream, SHAPE, 40.0, []).any()


def test_a_crack_darkens_its_pixels_by_its_depth(scene: Scene, crack: Crack) -> None:
    image = image_of(scene, stream, SHAPE, 40.0, [crack])
    assert image[16, 20, 0] == pytest.approx(150 * 0.4, abs=8)
    assert (image[:8] == 150).all()


def test_a_generous_label_is_wider(scene: Scene, crack: Crack) -> None:
    narrow = mask_of(Labelling(1.0, 0.0), stream, SHAPE, 40.0, [crack])
    wide = mask_of(Labelling(1.0, 0.1), stream, SHAPE, 40.0, [crack])
    assert set(np.unique(narrow)) == {0, 255}
    assert (wide >= narrow).all()
    assert (wide > 0).sum() > (narrow > 0).sum()


def test_each_purpose_has_its_own_stream(scene: Scene) -> None:
    asked = []

    def recording(purpose: str) -> np.random.Generator:
        asked.append(purpose)
        return stream(purpose)

    cracks = cracks_of(scene, recording, SHAPE, 40.0)
    image_of(scene, recording, SHAPE, 40.0, cracks)
    assert asked == ["cracks", "surface", "edges", "over", "camera"]
    again = cracks_of(scene, stream, SHAPE, 40.0)
    assert all(np.array_equal(a.path, b.path) for a, b in zip(cracks, again, strict=True))
