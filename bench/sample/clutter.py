"""Dark or linear distractors of the embedded sample: paint, joints, stains, strokes, drips, pores, shadows.

Each function takes a random stream, RGB (H, W, 3) or a shape, and ``unit``, the side of a sample in px. Lengths that
are fractions are fractions of that side.
"""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from bench.sample import texture as tx
from bench.sample.cracks import STEP, Style, darkness, grow_crack, trace_crack, walk
from bench.sample.texture import Real, Shape

Colour = tuple[float, float, float]


def between(rng: Generator, low: float, high: float) -> float:
    """Return a uniform random number."""
    return low + (high - low) * float(rng.random())


def pick(rng: Generator, choices: tuple[Colour, ...]) -> Colour:
    """Return a random mixture of two of the choices."""
    one, other = (choices[int(rng.integers(len(choices)))] for _ in range(2))
    share = float(rng.random())
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def place(rng: Generator, shape: Shape) -> tuple[float, float]:
    """Return a random point (down, right), px."""
    return shape[0] * float(rng.random()), shape[1] * float(rng.random())


def lane(rng: Generator, rgb: Real, unit: float, chance: float, colour: Colour = (205.0, 203.0, 196.0)) -> Real:
    """Return the surface, with probability ``chance`` with a worn strip of road paint."""
    shape = (rgb.shape[0], rgb.shape[1])
    if rng.random() >= chance:
        return rgb
    tilt = between(rng, -0.12, 0.12)
    strip = tx.band(shape, (shape[0] / 2, place(rng, shape)[1]), (1.0, tilt), between(rng, 0.05, 0.1) * unit, 1.5)
    worn = tx.smooth(tx.fractal(rng, shape, 0.12 * unit, 5), -0.45, 0.25)
    return tx.cover(rgb, 0.8 * strip * (0.25 + 0.75 * worn), colour)


def spots(rng: Generator, rgb: Real, unit: float, most: int, radius: tuple[float, float], dark: float) -> Real:
    """Return the surface with up to ``most`` dark stains (oil, tar, damp)."""
    shape = (rgb.shape[0], rgb.shape[1])
    for _ in range(int(rng.integers(most + 1))):
        spot = tx.blob(rng, shape, place(rng, shape), between(rng, *radius) * unit)
        rgb = rgb * (1.0 - dark * spot)[:, :, None]
    return rgb


def joint(rng: Generator, rgb: Real, unit: float, chance: float, half: float, dark: float) -> Real:
    """Return the surface, with probability ``chance`` with a straight joint or saw cut, dark with a lit edge."""
    shape = (rgb.shape[0], rgb.shape[1])
    if rng.random() >= chance:
        return rgb
    tilt, centre = between(rng, -0.05, 0.05), place(rng, shape)
    along = (1.0, tilt) if rng.random() < 0.5 else (tilt, 1.0)
    line = tx.band(shape, centre, along, half * unit, max(1.0, 0.004 * unit))
    lip = tx.band(shape, (centre[0] + 2.0 * half * unit, centre[1] + 2.0 * half * unit), along, half * unit, 1.5)
    return rgb * ((1.0 - dark * line) * (1.0 + 0.1 * lip * (1.0 - line)))[:, :, None]


def strokes(
    rng: Generator, rgb: Real, unit: float, most: int, colour: float, alpha: float, wander: float = 0.3
) -> Real:
    """Return the surface with up to ``most`` light or dark strokes (chalk, scrapes, roots)."""
    shape = (rgb.shape[0], rgb.shape[1])
    style = Style(half_width=(0.0025, 0.007), depth=(0.5 * alpha, alpha), gaps=0.15, uneven=0.3)
    drawn = []
    for _ in range(int(rng.integers(most + 1))):
        start, reach = place(rng, shape), between(rng, 0.12, 0.45) * unit
        goal = (start[0] + reach * between(rng, -1.0, 1.0), start[1] + reach * between(rng, -1.0, 1.0))
        drawn.append(trace_crack(rng, walk(rng, start, goal, STEP * unit, wander), style, unit, 1.0, (False, False)))
    return tx.cover(rgb, darkness(drawn, shape, 1.2), colour)


def drips(rng: Generator, shape: Shape, unit: float, width: float) -> Real:
    """Return vertical streaks of dirt (H, W) in [0, 1]."""
    runs = tx.fractal(rng, shape, (1.6 * unit, width * unit), 3) + 0.5 * tx.fractal(rng, shape, 0.3 * unit)
    return tx.smooth(runs, 0.1, 0.9)


def pores(rng: Generator, shape: Shape, unit: float, cell: float, share: float) -> Real:
    """Return the small round holes left by air bubbles in cast concrete (H, W) in [0, 1]."""
    _, hue, edge = tx.stones(rng, shape, max(2.0, cell * unit))
    return np.where(hue < share, tx.smooth(edge, 0.5, 0.8), 0.0)


def form_lines(rng: Generator, shape: Shape, unit: float, pitch: float) -> Real:
    """Return the seams left by formwork boards (H, W): thin parallel lines, 1 on a seam."""
    rows, columns = tx.rows_columns(shape)
    across, along = (rows, columns) if rng.random() < 0.5 else (columns, rows)
    position = (across + along * between(rng, -0.03, 0.03)) / (unit * pitch) + float(rng.random())
    distance_px = np.abs(position - np.floor(position) - 0.5) * unit * pitch
    seam = np.clip(1.2 - distance_px / max(0.8, 0.005 * unit), 0.0, 1.0)
    return seam * (0.6 + 0.4 * tx.value_noise(rng, shape, 0.2 * unit))


def tree_shadow(rng: Generator, shape: Shape, unit: float) -> Real:
    """Return the shadow of a sparse tree (H, W) in [0, 1]: limbs, twigs and a dappled crown."""
    limbs = Style(half_width=(0.02, 0.05), depth=(0.9, 1.0), wander=0.2, branches=(2, 4), gaps=0.0, uneven=0.2)
    twigs = replace(limbs, half_width=(0.004, 0.012))
    shade = []
    for style, count in ((limbs, 2), (twigs, 5)):
        for _ in range(count):
            start = (-0.05 * shape[0], shape[1] * float(rng.random()))
            shade += grow_crack(
                rng, start, (1.05 * shape[0] * between(rng, 0.4, 1.0), shape[1] * float(rng.random())), style, unit
            )
    crown = tx.smooth(tx.fractal(rng, shape, 0.09 * unit, 3) + 0.9 * tx.value_noise(rng, shape, 0.6 * unit), 0.35, 0.85)
    return np.maximum(darkness(shade, shape, 0.022 * unit), crown)


def cast_shadow(rng: Generator, rgb: Real, unit: float, chance: float, dark: float) -> Real:
    """Return the surface, with probability ``chance`` partly in the shadow of a wall, with a straight soft edge."""
    shape = (rgb.shape[0], rgb.shape[1])
    if rng.random() >= chance:
        return rgb
    rows, columns = tx.rows_columns(shape)
    down, right = (between(rng, -1.0, 1.0) for _ in range(2))
    through = place(rng, shape)
    behind = (rows - through[0]) * down + (columns - through[1]) * right
    return rgb * (1.0 - dark * tx.smooth(behind, -0.04 * unit, 0.04 * unit))[:, :, None]
