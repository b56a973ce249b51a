"""Find overlapping crops of one photograph by what they show, without names: retrieval, then geometry."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench.audit.features import Features, Floats

WORDS, PARTS = 128, 64
"""Of the image vectors: visual words, components kept of a descriptor."""
NEIGHBOURS = 16
"""Images compared in detail with each image."""
INLIERS = 7
"""Least number of points that agree; measured in benchmarks/leakage.py."""
TOLERANCE = 0.012
"""Distance within which a point agrees, as a share of the side: 2.3 px of 192."""
SCALES = (0.25, 4.0)
_TRIES = 200


def find_crops(features: Sequence[Features], neighbours: int = NEIGHBOURS) -> pd.DataFrame:
    """Return the pairs of images that overlap as upright crops of one photograph.

    Returns:
        Columns a, b (positions, a < b), inliers, and the part of a that b shows and of b that a shows, each as
        left, top, right, bottom from 0 to 1 (``a_left`` ... ``b_bottom``).
    """
    vectors = image_vectors(features)
    rows = []
    for a, b in tqdm(_candidates(vectors, neighbours), desc="compare crops", unit="pair"):
        found = same_photograph(features[a], features[b])
        if found is not None:
            inliers, scale, offset = found
            lows, highs = np.clip(-offset / scale, 0, 1), np.clip((1 - offset) / scale, 0, 1)
            back = np.clip(offset, 0, 1), np.clip(scale + offset, 0, 1)
            rows.append([a, b, inliers, *lows, *highs, *back[0], *back[1]])
    sides = [f"{image}_{side}" for image in "ab" for side in ("left", "top", "right", "bottom")]
    return pd.DataFrame(rows, columns=["a", "b", "inliers", *sides]).sort_values(["a", "b"], ignore_index=True)


def image_vectors(features: Sequence[Features]) -> Floats:
    """Return one vector per image, (N, 8192), unit norm, whose products rank images by common local features.

    **Source:** Jegou et al. 2010, CVPR (VLAD), with normalised residuals of each word (Arandjelovic and Zisserman
    2013, CVPR).
    """
    generator = np.random.Generator(np.random.PCG64(0))
    every = np.concatenate([f.descriptors for f in features])
    sample = every[generator.permutation(len(every))[:20_000]]
    if len(sample) < WORDS:
        return np.zeros((len(features), 1), np.float32)
    mean = sample.mean(0)
    axes = np.linalg.svd(sample - mean, full_matrices=False)[2][:PARTS].T
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    words: Floats = np.asarray(
        cv2.kmeans((sample - mean) @ axes, WORDS, np.zeros(0), criteria, 1, cv2.KMEANS_PP_CENTERS)[2], np.float32
    )
    return _unit(np.stack([_vlad((f.descriptors - mean) @ axes, words) for f in features]))


def _vlad(descriptors: Floats, words: Floats) -> Floats:
    """Return the sums of residuals to the nearest words, normalised per word, flat."""
    sums = np.zeros_like(words)
    if len(descriptors):
        nearest = (descriptors @ words.T - (words**2).sum(1) / 2).argmax(1)
        np.add.at(sums, nearest, descriptors - words[nearest])
    return _unit(sums).ravel()


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def _candidates(vectors: Floats, neighbours: int) -> list[tuple[int, int]]:
    """Return the pairs in which one image is among the nearest of the other, sorted."""
    pairs = set()
    count = min(neighbours, len(vectors) - 1)
    for start in range(0, len(vectors), 2048):
        alike = vectors[start : start + 2048] @ vectors.T
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = -2
        near = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        for row, columns in enumerate(near.tolist(), start):
            pairs |= {(min(row, column), max(row, column)) for column in columns}
    return sorted(pairs)


def same_photograph(a: Features, b: Features) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Return how many points agree on ``b = scale * a + offset`` (each x, y), with scale and offset; None if too few.

    Crops are cut upright and stretched to a square, so that two scales and two offsets say all: two points fix them,
    and many random pairs of points are tried at once (RANSAC).

    **Source:** Fischler and Bolles 1981, Communications of the ACM 24(6).
    """
    if min(len(a.points), len(b.points)) < INLIERS:
        return None
    alike = a.descriptors @ b.descriptors.T
    there, back = alike.argmax(1), alike.argmax(0)
    mutual = np.flatnonzero((back[there] == np.arange(len(there))) & (alike.max(1) > 0.8))
    p, q = a.points[mutual].astype(float), b.points[there[mutual]].astype(float)
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
    agree = np.abs(scale[:, None] * p + offset[:, None] - q).max(2) < TOLERANCE
    best = int(agree.sum(1).argmax())
    inside = agree[best]
    spread = p[inside].max(0) - p[inside].min(0)
    if inside.sum() < INLIERS or spread.min() < 0.1:
        return None
    from_p, from_q = p[inside] - p[inside].mean(0), q[inside] - q[inside].mean(0)
    slope = (from_p * from_q).sum(0) / (from_p**2).sum(0)  # least squares over all points that agree
    return int(inside.sum()), slope, q[inside].mean(0) - slope * p[inside].mean(0)
