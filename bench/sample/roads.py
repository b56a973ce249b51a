"""Road scenes of the embedded sample: CFD and Forest, CRACK500, CrackTree200, GAPs, and Sylvie's own."""

import numpy as np
from numpy.random import Generator

from bench.sample import clutter
from bench.sample import texture as tx
from bench.sample.clutter import Colour, between
from bench.sample.cracks import Style
from bench.sample.scene import Labelling, Scene
from bench.sample.texture import Real, Shape

_STREET: tuple[Colour, ...] = (
    (140, 136, 128),
    (136, 134, 131),
    (132, 132, 124),
    (120, 134, 152),
    (130, 128, 142),
    (140, 132, 126),
)
_COARSE: tuple[Colour, ...] = ((130, 132, 126), (126, 128, 140), (138, 134, 122), (118, 130, 134), (134, 124, 118))


def _street(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return city asphalt as a phone camera sees it: grey-brown to bluish, sometimes with paint, a saw cut or oil."""
    grey = tx.asphalt(rng, shape, unit, between(rng, 115, 150), 0.012, between(rng, 0.11, 0.2))
    rgb = clutter.lane(rng, tx.tinted(grey, clutter.pick(rng, _STREET)), unit, 0.2)
    rgb = clutter.joint(rng, rgb, unit, 0.2, 0.004, 0.3)
    return clutter.spots(rng, rgb, unit, 3, (0.02, 0.07), 0.35)


def _street_light(rng: Generator, rgb: Real, unit: float) -> Real:
    rgb = clutter.cast_shadow(rng, rgb, unit, 0.12, 0.3)
    return rgb * tx.light(rng, (rgb.shape[0], rgb.shape[1]), 0.15, 0.08)[:, :, None]


def _coarse(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return coarse asphalt from close up: large stones of all greys in a dark binder, sometimes tar."""
    tint = clutter.pick(rng, _COARSE)
    fine, shade, _ = tx.stones(rng, shape, max(1.0, between(rng, 0.007, 0.014) * unit))
    big, hue, edge = tx.stones(rng, shape, between(rng, 0.03, 0.07) * unit)
    grit = fine - 0.5 + 0.25 * tx.pixel_noise(rng, shape)
    binder = between(rng, 80, 120) * (1.0 + 0.7 * grit + 0.1 * tx.fractal(rng, shape, 0.4 * unit))
    bare = between(rng, 0.1, 0.5)  # how far the stones stick out of the binder
    stone = tx.smooth(edge - bare * (0.1 + 2.0 * np.abs(hue - 0.5)), -0.04, 0.1)
    face = between(rng, 115, 160) * (0.62 + 0.76 * big + 0.25 * grit)
    lit = 1.0 + 0.35 * tx.relief(0.008 * unit * stone) + 0.2 * tx.relief(fine)
    rgb = tx.tinted((binder * (1.0 - stone) + face * stone) * lit, tint)
    warm = 14.0 * stone * (hue - 0.5) + 6.0 * (shade - 0.5)
    return clutter.spots(rng, rgb + warm[:, :, None] * np.array([1.0, 0.1, -1.1]), unit, 3, (0.03, 0.1), 0.4)


def _coarse_light(rng: Generator, rgb: Real, unit: float) -> Real:
    return rgb * tx.light(rng, (rgb.shape[0], rgb.shape[1]), 0.25, 0.15)[:, :, None]


def _pavement(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return bumpy grey pavement, sometimes with a joint."""
    grey = tx.asphalt(rng, shape, unit, between(rng, 140, 170), 0.012, between(rng, 0.1, 0.16))
    _, _, grain = tx.stones(rng, shape, max(1.0, 0.016 * unit))
    rgb = tx.tinted(grey * (1.0 + 0.2 * tx.relief(grain)), (100, 100, 99))
    return clutter.joint(rng, rgb, unit, 0.2, 0.004, 0.4)


def _trees(rng: Generator, rgb: Real, unit: float) -> Real:
    """Return the pavement under trees in sunlight, darker and slightly bluer in their shadows."""
    shape = (rgb.shape[0], rgb.shape[1])
    shade = clutter.tree_shadow(rng, shape, unit) * between(rng, 0.3, 0.55)
    light: Real = 1.0 - shade[:, :, None] * np.array([1.0, 0.98, 0.94])
    return rgb * light * tx.light(rng, shape, 0.12, 0.1)[:, :, None]


def _motorway(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return dark asphalt as the grey camera of a survey vehicle sees it: bright chips, sometimes an edge line."""
    grey = tx.asphalt(rng, shape, unit, between(rng, 68, 92), 0.013, between(rng, 0.26, 0.36))
    rgb = clutter.lane(rng, tx.tinted(grey, (1, 1, 1)), unit, 0.3, (215.0, 215.0, 215.0))
    return clutter.spots(rng, rgb, unit, 2, (0.01, 0.05), 0.35)


def _motorway_light(rng: Generator, rgb: Real, unit: float) -> Real:
    return rgb * tx.light(rng, (rgb.shape[0], rgb.shape[1]), 0.5, 0.3)[:, :, None]


def _survey(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return rough asphalt in grey, lit from the side, with some round tar spots."""
    grey = tx.asphalt(rng, shape, unit, between(rng, 105, 150), 0.016, between(rng, 0.2, 0.35))
    _, _, grain = tx.stones(rng, shape, max(1.0, 0.02 * unit))
    rgb = tx.tinted(grey * (1.0 + between(rng, 0.1, 0.35) * tx.relief(grain)), (1, 1, 1))
    return clutter.spots(rng, rgb, unit, 5, (0.012, 0.03), 0.5)


_THIN = Style(half_width=(0.0035, 0.007), depth=(0.25, 0.55), wander=0.8, reach=(0.75, 1.0))

STREET = Scene(_street, _street_light, _THIN, Labelling(1.0, 0.001), upright=0.25, more=(0.2,))
COARSE = Scene(
    _coarse,
    _coarse_light,
    Style(half_width=(0.01, 0.022), depth=(0.45, 0.8)),
    Labelling(1.0, 0.003, hand=0.006),
    more=(0.2,),
    soft=0.012,
    ragged=0.014,
)
PAVEMENT = Scene(
    _pavement,
    _trees,
    Style(half_width=(0.004, 0.008), depth=(0.45, 0.7), branches=(1, 1), reach=(0.3, 0.65)),
    Labelling(0.0, 0.0026),  # one or two pixels at 448 px, as in the collection
)
MOTORWAY = Scene(
    _motorway,
    _motorway_light,
    Style(half_width=(0.0035, 0.0065), depth=(0.35, 0.55), branches=(0, 1), gaps=0.15),
    Labelling(1.0, 0.0),
    upright=0.7,
    more=(0.2,),
    grey=True,
)
SURVEY = Scene(
    _survey,
    _coarse_light,
    Style(half_width=(0.004, 0.009), depth=(0.4, 0.65), wander=0.6, branches=(0, 1)),
    Labelling(1.0, 0.026, hand=0.013),
    upright=0.9,
    more=(0.2,),
    grey=True,
)
