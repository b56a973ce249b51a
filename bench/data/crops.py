"""Find overlapping crops of one source image by their content, not their names: retrieval, then geometry."""

import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.data.duplicates import Floats
from bench.data.features import PICTURE, QUANTUM, Features, Local
from bench.data.parallel_map import parallel_map

WORDS, PARTS = 128, 64
"""Image vectors: number of visual words, and principal components kept of each descriptor."""
NEIGHBOURS = 16
"""Images compared in detail with each image."""
INLIERS, SURE = 5, 15
"""Matching points needed to compare the overlap by correlation, and those that suffice without it; among thousands of
pairs, five to ten points match by chance. Both and the next were chosen with benchmarks/leakage.py."""
CORRELATION = 0.5
"""Least correlation of the pictures where they overlap; for different source images it stays below 0.4."""
TOLERANCE = 0.012
"""Largest distance of matching points, as a share of the side: 2.3 px of 192."""
ALIKE = 0.85
"""Least product of the descriptors of one point."""
SCALES = (0.25, 4.0)
TYPICAL = 6
"""Highest upper quartile of the matching points of random pairs in nine sets of asphalt, concrete, tiles and masonry.
Where it is higher, as on regular brickwork, twice that many points are needed, whatever the correlation."""
_TRIES, _BLOCK, _RANDOM_PAIRS, _LEAST_PAIRS = 300, 256, 200, 20

Vector = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]


class Overlap(NamedTuple):
    """Number of matching points, and the part of each image that the other shows: left, top, right, bottom, 0 to 1."""

    inliers: int
    of_a: tuple[float, ...]
    of_b: tuple[float, ...]


def find_crops(
    features: Sequence[Features], neighbours: int = NEIGHBOURS, sets: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the pairs of images that overlap as upright crops of one source image.

    Each image is compared with those whose vectors are nearest, then with the images that overlap one of its own
    matches. More matching points are needed than random pairs of the same set have.

    Args:
        features: of each image.
        neighbours: number of images to compare each image with.
        sets: set of each image; None for one.

    Returns:
        Columns a, b (positions, a < b), inliers, and the part of a that b shows and of b that a shows, each as
        left, top, right, bottom from 0 to 1 (``a_left`` ... ``b_bottom``).
    """
    local = [f.local for f in features]
    first = candidates(image_vectors(local), neighbours)
    with tempfile.TemporaryDirectory() as folder:
        _pack(local, Path(folder))
        np.save(Path(folder) / "least.npy", _least_inliers(folder, sets or [""] * len(local)))
        rows = _compare(folder, sorted(first), "compare crops")
        rows += _compare(folder, sorted(_with_common_match(rows) - first), "compare their matches")
    sides = [f"{image}_{side}" for image in "ab" for side in ("left", "top", "right", "bottom")]
    return pd.DataFrame(rows, columns=["a", "b", "inliers", *sides]).sort_values(["a", "b"], ignore_index=True)


def image_vectors(features: Sequence[Local]) -> Floats:
    """Return one vector per image, (N, 8192), unit norm, whose products rank images by shared local features.

    **Source:** Jegou et al. 2010, CVPR (VLAD), with normalised residuals of each word (Arandjelovic and Zisserman
    2013, CVPR).
    """
    generator = np.random.Generator(np.random.PCG64(0))
    chosen = generator.permutation(sum(len(f.descriptors) for f in features))[:20_000]
    if len(chosen) < WORDS:
        return np.zeros((len(features), 1), np.float32)
    sample = np.concatenate([f.descriptors for f in features])[np.sort(chosen)] / np.float32(QUANTUM)
    mean = sample.mean(0)
    axes = np.linalg.svd(sample - mean, full_matrices=False)[2][:PARTS].T
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    words: Floats = np.asarray(
        cv2.kmeans((sample - mean) @ axes, WORDS, np.zeros(0), criteria, 1, cv2.KMEANS_PP_CENTERS)[2], np.float32
    )
    return _unit(np.stack([_vlad((f.descriptors / np.float32(QUANTUM) - mean) @ axes, words) for f in features]))


def _vlad(descriptors: Floats, words: Floats) -> Floats:
    """Return the sums of residuals to the nearest words, normalised per word, flat."""
    nearest = (descriptors @ words.T - (words**2).sum(1) / 2).argmax(1)
    member = (np.arange(len(words))[:, None] == nearest).astype(np.float32)
    return _unit(member @ descriptors - member.sum(1, keepdims=True) * words).ravel()


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def candidates(vectors: Floats, neighbours: int) -> set[tuple[int, int]]:
    """Return the pairs (a, b), a < b, in which one image is among the nearest neighbours of the other."""
    pairs = set()
    count = min(neighbours, len(vectors) - 1)
    for start in range(0, len(vectors), 2048):
        alike = vectors[start : start + 2048] @ vectors.T
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = -2
        near = np.argpartition(-alike, count - 1, axis=1)[:, :count] if count else np.zeros((len(alike), 0), int)
        for row, columns in enumerate(near.tolist(), start):
            pairs |= {(min(row, column), max(row, column)) for column in columns}
    return pairs


def _least_inliers(folder: str, sets: Sequence[str]) -> Floats:
    """Return for each image how many points must match at least: more than those of random pairs of its set."""
    generator, least = np.random.Generator(np.random.PCG64(0)), np.full(len(sets), INLIERS, np.float32)
    for name in dict.fromkeys(sets):
        own = np.flatnonzero([of_image == name for of_image in sets])
        drawn = own[generator.integers(0, len(own), (_RANDOM_PAIRS, 2))]
        pairs = sorted({(int(min(pair)), int(max(pair))) for pair in drawn if pair[0] != pair[1]})
        matches = [_match(_local(folder, a), _local(folder, b)) for a, b in pairs]
        upper = float(np.quantile([0 if match is None else match[0] for match in matches], 0.75)) if pairs else 0.0
        if upper > TYPICAL and len(pairs) >= _LEAST_PAIRS:
            least[own] = 2 * upper
    return least


def _with_common_match(rows: Iterable[Sequence[float]]) -> set[tuple[int, int]]:
    """Return the pairs that both overlap a common third image."""
    near: dict[int, set[int]] = {}
    for a, b, *_ in rows:
        near.setdefault(int(a), set()).add(int(b))
        near.setdefault(int(b), set()).add(int(a))
    return {pair for others in near.values() for pair in combinations(sorted(others), 2)}


def _pack(features: Sequence[Local], folder: Path) -> None:
    """Write points and descriptors of all images into arrays that processes can map into memory."""
    np.save(folder / "starts.npy", np.cumsum([0, *(len(f.points) for f in features)]))
    np.save(folder / "points.npy", np.concatenate([f.points for f in features]))
    np.save(folder / "descriptors.npy", np.concatenate([f.descriptors for f in features]))
    np.save(folder / "pictures.npy", np.stack([f.picture for f in features]))


@cache
def _mapped(folder: str) -> list[npt.NDArray[Any]]:
    names = ("starts", "points", "descriptors", "pictures")
    return [np.load(Path(folder) / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names]


def _compare(folder: str, pairs: Sequence[tuple[int, int]], desc: str) -> list[list[float]]:
    blocks = [(folder, pairs[i : i + _BLOCK]) for i in range(0, len(pairs), _BLOCK)]
    return [row for rows in parallel_map(_compare_block, blocks, desc, few=20) for row in rows]


def _compare_block(work: tuple[str, Sequence[tuple[int, int]]]) -> list[list[float]]:
    folder, pairs = work
    least = np.load(Path(folder) / "least.npy", allow_pickle=False)
    overlaps = ((a, b, same_photograph(_local(folder, a), _local(folder, b), max(least[[a, b]]))) for a, b in pairs)
    return [[a, b, overlap.inliers, *overlap.of_a, *overlap.of_b] for a, b, overlap in overlaps if overlap is not None]


def _local(folder: str, image: int) -> Local:
    starts, points, descriptors, pictures = _mapped(folder)
    own = slice(starts[image], starts[image + 1])
    return Local(points[own], descriptors[own], pictures[image])


def same_photograph(a: Local, b: Local, least: float = INLIERS) -> Overlap | None:
    """Return how two images overlap as crops of one source image; None if they do not.

    At least ``least`` points must match.
    """
    match = _match(a, b)
    if match is None or match[0] < least:
        return None
    inliers, scale, offset = match
    lows, highs = np.clip(-offset / scale, 0, 1), np.clip((1 - offset) / scale, 0, 1)
    overlap = Overlap(inliers, (*lows, *highs), (*np.clip(offset, 0, 1), *np.clip(scale + offset, 0, 1)))
    sure = inliers >= max(SURE, least) or _correlation(a.picture, b.picture, scale, offset, overlap.of_a) >= CORRELATION
    return overlap if sure else None


def _correlation(a: Picture, b: Picture, scale: Vector, offset: Vector, part: Sequence[float]) -> float:
    """Return the correlation of two pictures over the ``part`` of the first, local light and contrast normalised."""
    matrix = np.column_stack([np.diag(scale), offset * PICTURE + (scale - 1) / 2])  # pixel centres are at halves
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(b, matrix, (PICTURE, PICTURE), flags=flags, borderMode=cv2.BORDER_REFLECT)
    left, top, right, bottom = (np.array(part) * PICTURE + [2, 2, -2, -2]).astype(int)
    x, y = (_flat(picture)[top:bottom, left:right] for picture in (a, np.asarray(warped, np.uint8)))
    if x.size < 64:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-6))


def _flat(picture: Picture) -> Floats:
    high = picture.astype(np.float32)
    high -= cv2.blur(high, (21, 21))
    return np.asarray(high / np.sqrt(cv2.blur(high**2, (21, 21)) + 1), np.float32)


def _match(a: Local, b: Local) -> tuple[int, Vector, Vector] | None:
    """Return the number of points that match ``b = scale * a + offset`` (each x, y), scale and offset; None if too few.

    Crops are upright and stretched to a square, so two scales and two offsets describe them. Two points determine
    these; many random pairs of points are tried at once (RANSAC).

    **Source:** Fischler and Bolles 1981, Communications of the ACM 24(6).
    """
    p, q = _mutual_nearest(a, b)
    if len(p) < INLIERS:
        return None
    draws = np.random.Generator(np.random.PCG64(0)).integers(0, len(p), (_TRIES, 2))
    span = p[draws[:, 0]] - p[draws[:, 1]]
    draws, span = draws[far := (np.abs(span) > 0.08).all(1)], span[far]
    scale = (q[draws[:, 0]] - q[draws[:, 1]]) / span
    good = ((scale > SCALES[0]) & (scale < SCALES[1])).all(1)
    draws, scale = draws[good], scale[good]
    if not len(scale):
        return None
    offset = q[draws[:, 0]] - scale * p[draws[:, 0]]
    matching = np.all(np.abs(scale[:, None] * p + offset[:, None] - q) < TOLERANCE, axis=2)
    inside = matching[int(matching.sum(1).argmax())]
    extent = p[inside].max(0) - p[inside].min(0)
    if inside.sum() < INLIERS or extent.min() < 0.1:
        return None
    from_p, from_q = p[inside] - p[inside].mean(0), q[inside] - q[inside].mean(0)
    slope = (from_p * from_q).sum(0) / (from_p**2).sum(0)  # least squares over all matching points
    return int(inside.sum()), slope, q[inside].mean(0) - slope * p[inside].mean(0)


def _mutual_nearest(a: Local, b: Local) -> tuple[Vector, Vector]:
    """Return the points (n, 2) of two images whose descriptors are each other's nearest and similar enough."""
    if min(len(a.points), len(b.points)) < INLIERS:
        return np.zeros((0, 2)), np.zeros((0, 2))
    products = a.descriptors.astype(np.float32) @ b.descriptors.astype(np.float32).T
    nearest = products.argmax(1)
    best = products[np.arange(len(nearest)), nearest]
    mutual = np.flatnonzero((products.max(0)[nearest] == best) & (best > ALIKE * QUANTUM**2))
    return a.points[mutual].astype(float), b.points[nearest[mutual]].astype(float)
