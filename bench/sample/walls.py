"""Wall and concrete scenes of the embedded sample: DeepCrack, Rissbilder, Volker and Eugen Miller."""

from numpy.random import Generator

from bench.sample import clutter
from bench.sample import texture as tx
from bench.sample.clutter import Colour, between
from bench.sample.cracks import Style
from bench.sample.scene import Labelling, Scene
from bench.sample.texture import Real, Shape

_MIXED_ROAD: tuple[Colour, ...] = ((130, 124, 120), (128, 130, 134), (136, 130, 132))
_MIXED_SLAB: tuple[Colour, ...] = (
    (186, 180, 168),
    (176, 164, 138),
    (150, 158, 156),
    (176, 166, 176),
    (188, 186, 182),
)
_PLASTER: tuple[Colour, ...] = (
    (108, 136, 152),
    (120, 128, 126),
    (64, 108, 134),
    (128, 126, 124),
    (104, 102, 138),
    (104, 110, 112),
    (144, 140, 134),
)
_CONCRETE: tuple[Colour, ...] = ((104, 112, 118), (110, 108, 114), (112, 112, 106), (96, 110, 108), (118, 104, 136))
_TUNNEL: tuple[Colour, ...] = ((168, 166, 158), (160, 160, 160), (170, 162, 148))


def _mixed(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return a road with yellow paint (probability 0.35) or a concrete slab: clouds, brush marks, joint, scrapes."""
    if rng.random() < 0.35:
        grey = tx.asphalt(rng, shape, unit, between(rng, 80, 150), between(rng, 0.014, 0.03), 0.35)
        return clutter.lane(rng, tx.tinted(grey, clutter.pick(rng, _MIXED_ROAD)), unit, 0.3, (196.0, 184.0, 140.0))
    cloud = 0.07 * tx.fractal(rng, shape, 0.5 * unit) + 0.05 * tx.fractal(rng, shape, 0.06 * unit, 3)
    brushed = 0.04 * tx.value_noise(rng, shape, (max(1.0, 0.012 * unit), 0.8 * unit))
    grey = between(rng, 150, 190) * (1.0 + cloud + brushed - 0.45 * clutter.pores(rng, shape, unit, 0.03, 0.04))
    rgb = clutter.joint(rng, tx.tinted(grey, clutter.pick(rng, _MIXED_SLAB)), unit, 0.35, 0.009, 0.5)
    rgb = clutter.spots(rng, rgb, unit, 2, (0.02, 0.1), 0.3)
    return clutter.strokes(rng, rgb, unit, 2, 225.0, 0.5)


def _daylight(rng: Generator, rgb: Real, unit: float) -> Real:
    rgb = clutter.cast_shadow(rng, rgb, unit, 0.15, 0.4)
    return rgb * tx.light(rng, (rgb.shape[0], rgb.shape[1]), 0.15, 0.1)[:, :, None]


def _plaster(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return a painted or plastered wall: rough, clouded, with drips, formwork seams, bubbles, scrapes, stains."""
    bumps = unit * 0.012 * tx.fractal(rng, shape, 0.03 * unit, 3)
    cloud = 0.12 * tx.fractal(rng, shape, 0.6 * unit) + 0.06 * tx.fractal(rng, shape, 0.05 * unit, 3)
    grey = between(rng, 90, 150) * (1.0 + cloud + between(rng, 0.05, 0.3) * tx.relief(bumps))
    grey = grey * (1.0 - between(rng, 0.0, 0.4) * clutter.drips(rng, shape, unit, 0.07))
    if rng.random() < 0.5:
        grey = grey * (1.0 - between(rng, 0.15, 0.35) * clutter.form_lines(rng, shape, unit, between(rng, 0.3, 0.6)))
    grey = grey * (1.0 - 0.5 * clutter.pores(rng, shape, unit, 0.035, 0.05))
    rgb = clutter.strokes(rng, tx.tinted(grey, clutter.pick(rng, _PLASTER)), unit, 3, 40.0, 0.35)
    return clutter.spots(rng, rgb, unit, 3, (0.01, 0.06), 0.4)


def _concrete(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return a dark concrete wall: grainy or trowelled, large dark stains, bubbles, sometimes an edge or a seam."""
    grain, _, _ = tx.stones(rng, shape, max(1.0, 0.014 * unit))
    bumps = unit * 0.015 * tx.fractal(rng, shape, (0.02 * unit, 0.05 * unit), 3)
    cloud = 0.12 * tx.fractal(rng, shape, 0.5 * unit) + 0.06 * tx.fractal(rng, shape, 0.04 * unit, 2)
    rough = between(rng, 0.02, 0.22) * (grain - 0.5) + between(rng, 0.05, 0.3) * tx.relief(bumps)
    grey = between(rng, 80, 118) * (1.0 + cloud + rough) * (1.0 - 0.5 * clutter.pores(rng, shape, unit, 0.03, 0.06))
    stain = tx.smooth(tx.fractal(rng, shape, 0.35 * unit, 5), 0.1, 0.8)
    grey = grey * (1.0 - between(rng, 0.15, 0.5) * stain)
    rgb = clutter.joint(rng, tx.tinted(grey, clutter.pick(rng, _CONCRETE)), unit, 0.3, 0.006, 0.35)
    rgb = clutter.spots(rng, rgb, unit, 4, (0.02, 0.07), 0.5)
    return clutter.strokes(rng, rgb, unit, 2, 30.0, 0.4)


def _lamp(rng: Generator, rgb: Real, unit: float) -> Real:
    return rgb * tx.light(rng, (rgb.shape[0], rgb.shape[1]), 0.35, 0.25)[:, :, None]


def _tunnel(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return smooth tunnel lining: damp streaks, board seams, tie holes, dirt splashes and inspectors' chalk marks."""
    cloud = 0.06 * tx.fractal(rng, shape, 0.7 * unit) + 0.02 * tx.fractal(rng, shape, 0.05 * unit, 2)
    grey = between(rng, 140, 175) * (1.0 + cloud) * (1.0 - 0.4 * clutter.drips(rng, shape, unit, 0.09))
    grey = grey * (1.0 - 0.25 * clutter.form_lines(rng, shape, unit, between(rng, 0.5, 0.9)))
    rgb = tx.tinted(grey, clutter.pick(rng, _TUNNEL))
    rgb = clutter.spots(rng, rgb, unit, 6, (0.008, 0.05), 0.45)
    rgb = clutter.strokes(rng, rgb, unit, 3, 55.0, 0.5)
    return clutter.strokes(rng, rgb, unit, 7, 238.0, 0.85, wander=0.4)


MIXED = Scene(
    _mixed,
    _daylight,
    Style(half_width=(0.006, 0.016), depth=(0.55, 0.85), wander=0.8, branches=(0, 3), gaps=0.04, uneven=0.8),
    Labelling(1.0, 0.001),
    upright=0.4,
    more=(0.25,),
    lip=0.3,
)
PLASTER = Scene(
    _plaster,
    _daylight,
    Style(half_width=(0.0035, 0.007), depth=(0.45, 0.75), wander=0.5, branches=(1, 2)),
    Labelling(0.5, 0.005),
    more=(0.35,),
    lip=0.3,
)
CONCRETE = Scene(
    _concrete,
    _lamp,
    Style(half_width=(0.005, 0.01), depth=(0.5, 0.8), wander=0.6),
    Labelling(0.8, 0.008, hand=0.003),
    upright=0.6,
    more=(0.3,),
    lip=0.2,
)
TUNNEL = Scene(
    _tunnel,
    _lamp,
    Style(half_width=(0.004, 0.009), depth=(0.45, 0.7), wander=0.5, branches=(0, 3)),
    Labelling(1.0, 0.0105, hand=0.003),
    more=(0.4,),
)
