"""One synthetic source image of the embedded sample: surface, cracks, shadows, and its mask."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.sample import texture as tx
from bench.sample.cracks import Crack, Style, crossing, darkness, label
from bench.sample.texture import Real, Shape


@dataclass(frozen=True)
class Labelling:
    """How a dataset's annotators label a crack: the label radius is ``scale`` half widths plus ``extra`` sides.

    ``hand`` is the deviation from that, in sides: 0 follows the crack, more imitates a hand-drawn polygon.
    """

    scale: float
    extra: float
    hand: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A kind of source image: its surface, the style of its cracks, and the light and shadow over both.

    Lengths are fractions of ``unit``, the side of a sample in px, so that a scene looks the same at every size.
    ``upright`` and ``more`` are as in ``crossing``; ``soft`` is the width of a crack's edge, ``ragged`` its roughness.
    """

    surface: Callable[[Generator, Shape, float], Real]
    over: Callable[[Generator, Real, float], Real]
    style: Style
    labelling: Labelling
    upright: float = 0.5
    more: tuple[float, ...] = ()
    soft: float = 0.008
    ragged: float = 0.004
    camera_noise: float = 2.5  # grey levels
    lip: float = 0.0  # brightening of the lit edge of a crack
    grey: bool = False  # a grey-scale camera: the three channels are equal


Stream = Callable[[str], Generator]  # purpose -> its own random stream, so that changing one does not affect the others


def cracks_of(scene: Scene, stream: Stream, shape: Shape, unit: float) -> list[Crack]:
    """Return the cracks of a source image, branches included."""
    return crossing(stream("cracks"), shape, unit, scene.style, scene.upright, scene.more)


def image_of(scene: Scene, stream: Stream, shape: Shape, unit: float, cracks: list[Crack]) -> NDArray[np.uint8]:
    """Return the source image (H, W, 3) uint8 RGB with these cracks."""
    rgb = scene.surface(stream("surface"), shape, unit)
    ragged = scene.ragged * unit * tx.fractal(stream("edges"), shape, max(2.0, 0.02 * unit), 2)
    dark = darkness(cracks, shape, max(1.0, scene.soft * unit), ragged)
    lit = np.clip(-4.0 * tx.relief(dark), 0.0, 1.0) * (1.0 - dark)
    rgb = rgb * ((1.0 - dark) * (1.0 + scene.lip * lit))[:, :, None]
    rgb = scene.over(stream("over"), rgb, unit)
    noise = stream("camera")
    grey, colour = tx.pixel_noise(noise, (*shape, 1)), tx.pixel_noise(noise, (*shape, 3))
    chroma = 0.0 if scene.grey else 0.5
    rgb = rgb + scene.camera_noise * (grey + chroma * colour)
    return np.floor(np.clip(rgb, 0.0, 255.0) + 0.5).astype(np.uint8)


def mask_of(labelling: Labelling, stream: Stream, shape: Shape, unit: float, cracks: list[Crack]) -> NDArray[np.uint8]:
    """Return the mask (H, W) uint8 of these cracks: 255 on a crack, otherwise 0."""
    radii = [labelling.scale * crack.half_px + labelling.extra * unit for crack in cracks]
    ragged = None
    if labelling.hand:
        ragged = labelling.hand * unit * tx.value_noise(stream("hand"), shape, 0.09 * unit)
    return np.where(label(cracks, radii, shape, ragged), np.uint8(255), np.uint8(0))
