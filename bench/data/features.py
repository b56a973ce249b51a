"""The features that identify an image: a hash, a small high-passed picture, and local features."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.data.duplicates import Floats, thumbnail
from bench.data.images import read_image
from bench.data.parallel_map import parallel_map

SIDE = 192
POINTS = 300
CONTRAST = 0.002
"""Contrast threshold of SIFT, a twentieth of its default: plaster and asphalt have little contrast."""
PICTURE = 128
QUANTUM = 512.0
"""Steps per unit of a descriptor's components, which rarely exceed 0.5."""


@dataclass(frozen=True)
class Local:
    """Local features, by which an overlap is found and confirmed.

    Attributes:
        points: (n, 2), x and y from 0 to 1.
        descriptors: (n, 128), uint8: ``QUANTUM`` times components of unit norm.
        picture: grey, uint8, (128, 128).
    """

    points: Floats
    descriptors: npt.NDArray[np.uint8]
    picture: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Features:
    """The features of one image.

    Attributes:
        pixels: SHA-256 of the decoded pixels.
        thumbnail: (32, 32), zero mean, unit norm.
        local: points, their descriptors, a small picture.
    """

    pixels: str
    thumbnail: Floats
    local: Local


def extract_all(paths: Sequence[Path]) -> list[Features]:
    """Return the features of each image file, in order."""
    return parallel_map(_extract_file, paths, "read images")


def _extract_file(path: Path) -> Features:
    return extract(read_image(path))


def extract(image: npt.NDArray[np.uint8]) -> Features:
    """Return the features of an image (H, W, 3), uint8.

    Descriptors are SIFT's, upright (crops are not rotated), at 192 x 192 px, with the square root of each component.

    **Source:** Lowe 2004, IJCV 60(2); Arandjelovic and Zisserman 2012, CVPR (RootSIFT).
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    sift = cv2.SIFT_create(  # type: ignore[attr-defined]  # the stubs lack it
        nfeatures=POINTS, contrastThreshold=CONTRAST
    )
    points = sift.detect(small)
    for point in points:
        point.angle = 0
    points, descriptors = sift.compute(small, points[:POINTS])
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2) / np.float32(SIDE)
    raw = np.zeros((0, 128), np.float32) if descriptors is None else np.asarray(descriptors, np.float32)
    roots = np.sqrt(raw / np.maximum(raw.sum(1, keepdims=True), 1e-6))
    kept = np.clip(roots * QUANTUM, 0, 255).round().astype(np.uint8)
    picture = np.asarray(cv2.resize(grey, (PICTURE, PICTURE), interpolation=cv2.INTER_AREA), np.uint8)
    pixels = hashlib.sha256(image.tobytes()).hexdigest()
    return Features(pixels, thumbnail(np.asarray(grey, np.uint8)), Local(places, kept, picture))
