"""Textures of pavements and walls for the embedded sample: noise, stones, bands, stains, light.

Only additions, products, quotients, square roots, comparisons and uniform random numbers are used. IEEE 754 defines
their rounding exactly, so the pixels are identical on every machine; sines and exponentials would not be.
"""

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Real = NDArray[np.float64]
Shape = tuple[int, int]


def smooth(field: Real, low: float, high: float) -> Real:
    """Return 0 below ``low``, 1 above ``high`` and a smooth step between them; any shape."""
    t = np.clip((field - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def rows_columns(shape: Shape) -> tuple[Real, Real]:
    """Return the pixel centres as a column (H, 1) and a row (1, W), in px."""
    return np.arange(shape[0], dtype=np.float64)[:, None] + 0.5, np.arange(shape[1], dtype=np.float64)[None, :] + 0.5


def _lattice_axis(length: int, cell_px: float) -> tuple[NDArray[np.intp], Real]:
    """Return for each pixel of an axis the lattice point before it and the smoothed fraction to the next."""
    position = (np.arange(length, dtype=np.float64) + 0.5) / cell_px
    before = np.floor(position)
    fraction = position - before
    return before.astype(np.intp), fraction * fraction * (3.0 - 2.0 * fraction)


def value_noise(rng: Generator, shape: Shape, cell_px: float | tuple[float, float]) -> Real:
    """Return smooth noise (H, W) in [-1, 1]; ``cell_px`` is its feature size, or its height and width."""
    tall, wide = cell_px if isinstance(cell_px, tuple) else (cell_px, cell_px)
    row, down = _lattice_axis(shape[0], tall)
    column, right = _lattice_axis(shape[1], wide)
    lattice = 2.0 * rng.random((int(row[-1]) + 2, int(column[-1]) + 2)) - 1.0
    along = lattice[row] * (1.0 - down[:, None]) + lattice[row + 1] * down[:, None]
    return along[:, column] * (1.0 - right) + along[:, column + 1] * right


def fractal(rng: Generator, shape: Shape, cell_px: float | tuple[float, float], octaves: int = 4) -> Real:
    """Return fractal noise (H, W) in about [-1, 1]: each octave has half the feature size and 0.6 of the amplitude."""
    tall, wide = cell_px if isinstance(cell_px, tuple) else (cell_px, cell_px)
    total, weight, weights = np.zeros(shape), 1.0, 0.0
    for octave in range(octaves):
        cell = max(1.0, tall / 2**octave), max(1.0, wide / 2**octave)
        total = total + weight * value_noise(rng, shape, cell)
        weights += weight
        weight *= 0.6
    return total * (1.6 / weights)


def pixel_noise(rng: Generator, shape: tuple[int, ...]) -> Real:
    """Return independent, nearly normal noise of mean 0 and standard deviation 1: the sum of three uniforms."""
    return (rng.random(shape) + rng.random(shape) + rng.random(shape) - 1.5) * 2.0


def stones(rng: Generator, shape: Shape, cell_px: float) -> tuple[Real, Real, Real]:
    """Return a packing of stones as three maps (H, W): tone and hue of the stone in [0, 1), and its edge distance.

    The edge distance is F2 - F1 of Worley's cellular noise in units of ``cell_px``: 0 between two stones.

    **Source:** Worley, A cellular texture basis function, SIGGRAPH 1996, doi 10.1145/237170.237267.
    """
    rows, columns = rows_columns(shape)
    rows = rows / cell_px + 1.0 + 0.3 * value_noise(rng, shape, 0.8 * cell_px)  # bent edges: broken, not sawn stones
    columns = columns / cell_px + 1.0 + 0.3 * value_noise(rng, shape, 0.8 * cell_px)
    row, column = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    grid = (int(row.max()) + 3, int(column.max()) + 3)
    down, right, tone, hue, size = (rng.random(grid) for _ in range(5))
    down = (down + np.arange(-1.0, grid[0] - 1)[:, None]).ravel()
    right = (right + np.arange(-1.0, grid[1] - 1)).ravel()
    size = 0.45 * size.ravel()
    corner = row * grid[1] + column
    first, second = np.full(shape, 9.0), np.full(shape, 9.0)
    nearest = corner
    for step in (dy * grid[1] + dx for dy in range(3) for dx in range(3)):
        cell = corner + step
        y, x = rows - down.take(cell), columns - right.take(cell)
        distance = np.sqrt(y * y + x * x) - size.take(cell)
        nearest = np.where(distance < first, cell, nearest)
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    return tone.ravel()[nearest], hue.ravel()[nearest], second - first


def asphalt(rng: Generator, shape: Shape, unit: float, grey: float, stone: float, contrast: float) -> Real:
    """Return fine asphalt (H, W) in grey levels: grey stones, dark pores, bright chips, worn patches.

    ``stone`` is the size of a stone as a fraction of ``unit`` px.
    """
    tone, hue, edge = stones(rng, shape, max(1.0, stone * unit))
    chips = np.where(hue > 0.97, 2.2 * (tone - 0.2), 0.0)
    pores = np.where(hue < 0.06, -0.8, 0.0) - 0.3 * (1.0 - smooth(edge, 0.0, 0.3))
    worn = 0.05 * fractal(rng, shape, 0.5 * unit) + 0.04 * fractal(rng, shape, 0.08 * unit, 2)
    streaks = 0.02 * value_noise(rng, shape, (1.5 * unit, 0.04 * unit))
    return grey * (1.0 + contrast * (tone - 0.5 + chips + pores) + worn + streaks)


def relief(height: Real) -> Real:
    """Return the shading of a rough surface (H, W) of these heights: half the slope, lit from the upper left."""
    padded = np.pad(height, ((1, 0), (1, 0)), mode="edge")
    return 0.5 * (padded[1:, 1:] - padded[:-1, :-1])


def band(shape: Shape, centre: tuple[float, float], along: tuple[float, float], half_px: float, soft_px: float) -> Real:
    """Return a straight band (H, W), 1 inside and 0 outside, through ``centre`` along ``along`` (both down, right)."""
    rows, columns = rows_columns(shape)
    length = math.sqrt(along[0] * along[0] + along[1] * along[1])
    across = np.abs((rows - centre[0]) * along[1] - (columns - centre[1]) * along[0]) / length
    return np.clip((half_px - across) / soft_px + 0.5, 0.0, 1.0)


def blob(rng: Generator, shape: Shape, centre: tuple[float, float], radius_px: float, ragged: float = 0.35) -> Real:
    """Return a soft stain (H, W), 1 at its centre and 0 outside, its edge distorted by noise of ``ragged`` radii."""
    rows, columns = rows_columns(shape)
    distance = np.sqrt((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / radius_px
    return 1.0 - smooth(distance + ragged * fractal(rng, shape, max(2.0, 0.9 * radius_px), 3), 0.5, 1.2)


def light(rng: Generator, shape: Shape, slope: float, vignette: float) -> Real:
    """Return the illumination (H, W) around 1: a random gradient of up to ``slope`` and darker corners."""
    rows, columns = rows_columns(shape)
    y, x = rows / shape[0] - 0.5, columns / shape[1] - 0.5
    lean_y, lean_x = (slope * (2.0 * rng.random() - 1.0) for _ in range(2))
    return (1.0 + lean_y * y + lean_x * x) * (1.0 - vignette * 2.0 * (y * y + x * x))


def tinted(grey: Real, tint: tuple[float, float, float]) -> Real:
    """Return a grey surface (H, W) as RGB (H, W, 3) with a tint that keeps the mean of the channels."""
    mean = (tint[0] + tint[1] + tint[2]) / 3.0
    return grey[:, :, None] * (np.array(tint) / mean)


def cover(rgb: Real, alpha: Real, colour: float | tuple[float, float, float]) -> Real:
    """Return RGB (H, W, 3) under a layer of one colour whose opacity (H, W) is ``alpha``."""
    paint = np.broadcast_to(np.array(colour, dtype=np.float64), (3,))
    return rgb * (1.0 - alpha[:, :, None]) + alpha[:, :, None] * paint
