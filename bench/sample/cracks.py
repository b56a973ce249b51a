"""Cracks of the embedded sample: branching random walks, their darkness in the image and their label in the mask.

As in the textures, only exactly rounded operations are used: directions are unit vectors, never angles.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.sample.texture import Real, Shape

Point = tuple[float, float]  # down, right, in px

STEP = 0.01  # share of the image side; straight pieces of a crack are about ten times as long
_CHUNK = 400_000  # pixels drawn at a time: about 10 MB


@dataclass(frozen=True)
class Crack:
    """A path of N points (N, 2) in px (down, right), its half width (N,) in px and its darkness (N,) in [0, 1]."""

    path: Real
    half_px: Real
    depth: Real


@dataclass(frozen=True)
class Style:
    """The appearance of a kind of crack; lengths are fractions of the image side, pairs are minimum and maximum."""

    half_width: tuple[float, float]
    depth: tuple[float, float]
    wander: float = 0.6  # 0 is straight, 1 zigzags by up to 60 degrees
    branches: tuple[int, int] = (0, 2)
    gaps: float = 0.08  # share of the path where the crack nearly disappears
    reach: tuple[float, float] = (1.0, 1.0)  # share of the source image that a crack crosses
    uneven: float = 0.6  # 0 is constant width, 1 varies from none to double


def _length(y: float, x: float) -> float:
    return math.sqrt(y * y + x * x)


def _unit(y: float, x: float) -> Point:
    length = _length(y, x)
    return (y / length, x / length) if length > 0 else (0.0, 1.0)


def walk(rng: Generator, start: Point, goal: Point, step_px: float, wander: float) -> Real:
    """Return a random walk (N, 2) in px from ``start`` to about ``goal``.

    Each step deviates sideways from the direction of the goal by up to ``wander`` times its length. A deviation lasts
    for several steps, because cracks run around stones in short straight pieces; a slower one bends the whole path.
    """
    ahead = _unit(goal[0] - start[0], goal[1] - start[1])
    count = max(4, int(3.0 * _length(goal[0] - start[0], goal[1] - start[1]) / step_px))
    leans = (2.0 * rng.random((count, 2)) - 1.0).tolist()
    turns = (rng.random((count, 2)) < np.array([0.05, 0.3])).tolist()
    (y, x), slow, fast = start, 0.0, 0.0
    points = [start]
    for lean, turn in zip(leans, turns, strict=True):
        away = goal[0] - y, goal[1] - x
        left = away[0] * ahead[0] + away[1] * ahead[1]
        if len(points) > 2 and left < step_px:
            break
        slow, fast = lean[0] if turn[0] else slow, lean[1] if turn[1] else fast
        v, u = (
            _unit(*away) if left > 12.0 * step_px else ahead
        )  # close to the goal, aiming at it would make the path curl
        side = wander * (0.7 * slow + fast)
        v, u = _unit(v + side * u, u - side * v)
        y, x = y + step_px * v, x + step_px * u
        points.append((y, x))
    return np.array(points)


def _path_noise(rng: Generator, count: int, cell: float) -> Real:
    """Return smooth noise (count,) in [-1, 1] along a path, with a feature size of ``cell`` points."""
    position = np.arange(count, dtype=np.float64) / cell
    before = np.floor(position).astype(np.intp)
    fraction = position - before
    lattice = 2.0 * rng.random(int(before[-1]) + 2) - 1.0
    return lattice[before] * (1.0 - fraction) + lattice[before + 1] * fraction


def _resample(path: Real, spacing_px: float) -> Real:
    """Return the path with points at most ``spacing_px`` apart, interpolated linearly; (M, 2)."""
    step = path[1:] - path[:-1]
    longest = math.sqrt(float(np.max(step[:, 0] ** 2 + step[:, 1] ** 2)))
    parts = max(1, math.ceil(longest / spacing_px))
    fraction = np.arange(parts, dtype=np.float64) / parts
    between = path[:-1, None, :] + step[:, None, :] * fraction[None, :, None]
    return np.concatenate([between.reshape(-1, 2), path[-1:]])


def trace_crack(rng: Generator, path: Real, style: Style, unit: float, width: float, taper: tuple[bool, bool]) -> Crack:
    """Return the crack along a path: width (times ``width``) and darkness vary, ``taper`` thins start and end."""
    low, high = style.half_width
    base_px = unit * width * (low + (high - low) * rng.random())
    points = _resample(path, max(0.3, 0.35 * base_px))
    count = len(points)
    cell = max(3.0, count / 9.0)
    half = base_px * np.maximum(
        0.15, 1.0 + style.uneven * (_path_noise(rng, count, cell) + 0.5 * _path_noise(rng, count, cell / 4))
    )
    fraction = np.arange(count, dtype=np.float64) / count
    for thin, distance in zip(taper, (fraction, 1.0 - fraction), strict=True):
        half = half * np.clip(0.12 + distance / 0.3, 0.0, 1.0) if thin else half
    depth = style.depth[0] + (style.depth[1] - style.depth[0]) * (0.5 + 0.5 * _path_noise(rng, count, cell))
    present = np.clip((_path_noise(rng, count, cell / 2) + 1.0 - 2.0 * style.gaps) / 0.25 + 0.5, 0.12, 1.0)
    return Crack(points, half, depth * present)


def grow_crack(rng: Generator, start: Point, goal: Point, style: Style, unit: float) -> list[Crack]:
    """Return a crack from ``start`` to ``goal`` in px and its branches."""
    path = walk(rng, start, goal, unit * STEP, style.wander)
    cracks = [trace_crack(rng, path, style, unit, 1.0, (False, False))]
    for _ in range(int(rng.integers(style.branches[0], style.branches[1] + 1))):
        at = int(len(path) * (0.15 + 0.7 * rng.random()))
        before = max(0, at - 10)
        v, u = _unit(path[at, 0] - path[before, 0], path[at, 1] - path[before, 1])
        side = (0.5 + 1.2 * rng.random()) * (1.0 if rng.random() < 0.5 else -1.0)
        v, u = _unit(v + side * u, u - side * v)
        reach = unit * (0.15 + 0.4 * rng.random())
        root = (float(path[at, 0]), float(path[at, 1]))
        twig = walk(rng, root, (root[0] + reach * v, root[1] + reach * u), unit * STEP, style.wander)
        cracks.append(trace_crack(rng, twig, style, unit, 0.7, (False, True)))
    return cracks


def _across(rng: Generator, shape: Shape, upright: bool, at: float, reach: tuple[float, float]) -> tuple[Point, Point]:
    """Return a start beyond one edge and a goal towards the opposite one, both near the share ``at`` of their edge."""
    long, short = shape if upright else shape[::-1]
    near, far = (short * (at + 0.17 * (2.0 * float(rng.random()) - 1.0)) for _ in range(2))
    end = -0.04 + 1.08 * (reach[0] + (reach[1] - reach[0]) * float(rng.random()))
    first, last = (-0.04, end) if rng.random() < 0.5 else (1.04, 1.0 - end)
    return ((first * long, near), (last * long, far)) if upright else ((near, first * long), (far, last * long))


def crossing(
    rng: Generator, shape: Shape, unit: float, style: Style, upright: float, more: tuple[float, ...] = ()
) -> list[Crack]:
    """Return a crack across the middle and, for each probability in ``more``, maybe another one off-centre.

    ``upright`` is the probability that the first runs from top to bottom, not from left to right. The others have the
    same direction or, with probability 0.5, the perpendicular one.
    """
    is_upright = bool(rng.random() < upright)
    cracks = grow_crack(rng, *_across(rng, shape, is_upright, 0.5, style.reach), style, unit)
    finer = replace(style, branches=(0, 1))
    for chance in more:
        if rng.random() < chance:
            at, crosswise = 0.25 + 0.5 * float(rng.random()), bool(rng.random() < 0.5)
            cracks += grow_crack(rng, *_across(rng, shape, is_upright != crosswise, at, style.reach), finer, unit)
    return cracks


def _discs(path: Real, reach_px: int, margin_px: int, width: int) -> Iterator[tuple[slice, NDArray[np.intp], Real]]:
    """Yield points of a path with the flat index and the distance in px (n, K) of the pixels around each.

    The index refers to an image ``width`` px wide that includes a margin of ``margin_px``.
    """
    offset = np.arange(-reach_px, reach_px + 1)
    dy, dx = (part.ravel() for part in np.broadcast_arrays(offset[:, None], offset))
    disc = dy * dy + dx * dx <= (reach_px + 1) ** 2
    dy, dx = dy[disc], dx[disc]
    many = max(1, _CHUNK // len(dy))
    for first in range(0, len(path), many):
        part = slice(first, first + many)
        corner = np.floor(path[part])
        centre = corner - path[part] + 0.5
        y, x = centre[:, :1] + dy, centre[:, 1:] + dx
        flat = ((corner[:, 0] + margin_px) * width + corner[:, 1] + margin_px).astype(np.intp)
        yield part, flat[:, None] + (dy * width + dx), np.sqrt(y * y + x * x)


def _rasterise(
    cracks: list[Crack], radii_px: list[Real], shape: Shape, ragged: Real | None, blur_px: float, flat: bool
) -> Real:
    """Return the cracks drawn with these radii (N,) in px, the maximum where they overlap; (H, W) in [0, 1].

    ``blur_px`` is the width of the edge, ``ragged`` (H, W) displaces it by so many px, ``flat`` ignores the darkness.
    """
    drawn = np.zeros(shape)
    swell = 0.5 * blur_px + (0.0 if ragged is None else max(0.0, float(ragged.max())))
    for crack, radius in zip(cracks, radii_px, strict=True):
        reach = math.ceil(float(radius.max()) + swell) + 1
        margin = 2 * reach + 2
        far = np.abs(crack.path - np.array(shape) / 2) - np.array(shape) / 2
        near = far.max(axis=1) < reach
        path, half, depth = crack.path[near], radius[near, None], crack.depth[near, None]
        height, width = shape[0] + 2 * margin, shape[1] + 2 * margin
        canvas = np.zeros(height * width)
        rough = None if ragged is None else np.pad(ragged, margin).ravel()
        for part, pixel, distance in _discs(path, reach, margin, width):
            inside = half[part] - distance if rough is None else half[part] - distance + rough.take(pixel)
            covered = np.clip(inside / blur_px + 0.5, 0.0, 1.0)
            np.maximum.at(canvas, pixel.ravel(), (covered if flat else depth[part] * covered).ravel())
        drawn = np.maximum(drawn, canvas.reshape(height, width)[margin:-margin, margin:-margin])
    return drawn


def darkness(cracks: list[Crack], shape: Shape, soft_px: float, ragged: Real | None = None) -> Real:
    """Return how dark the cracks make each pixel (H, W) in [0, 1].

    ``soft_px`` is the width of the edge, ``ragged`` (H, W) displaces it by so many px.
    """
    return _rasterise(cracks, [crack.half_px for crack in cracks], shape, ragged, soft_px, flat=False)


def label(cracks: list[Crack], radii_px: list[Real], shape: Shape, ragged: Real | None = None) -> NDArray[np.bool_]:
    """Return the mask (H, W) of the pixels nearer to a crack than its label radius (N,) in px at that point."""
    return _rasterise(cracks, radii_px, shape, ragged, 1.0, flat=True) > 0.5
