"""What is kept of an image to find it again: a hash, a small high-passed picture, and local features."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench.datasets._images import read_image

Floats = npt.NDArray[np.float32]

THUMBNAIL = 32
HIGH_PASS = 4.0
"""Standard deviation, px of the thumbnail, of the blur taken off: what is left is not the light but the thing."""
SIDE = 192
POINTS = 150
CONTRAST = 0.005
"""Of SIFT, a tenth of its default: plaster and asphalt have little."""


@dataclass(frozen=True)
class Features:
    """What is kept of one image.

    Attributes:
        pixels: SHA-256 of the decoded pixels.
        thumbnail: (32, 32), zero mean, unit norm.
        points: (n, 2), x and y from 0 to 1.
        descriptors: (n, 128), unit norm.
    """

    pixels: str
    thumbnail: Floats
    points: Floats
    descriptors: Floats


def extract_all(paths: Sequence[Path], threads: int = 2) -> list[Features]:
    """Return the features of each image file, in order."""
    with ThreadPoolExecutor(threads) as pool:
        work = pool.map(lambda path: extract(read_image(path)), paths)
        return list(tqdm(work, total=len(paths), desc="read images", unit="image"))


def extract(image: npt.NDArray[np.uint8]) -> Features:
    """Return the features of an image (H, W, 3), uint8.

    Descriptors are SIFT's, upright (crops are not turned), at 192 x 192 px, with the square root of each component.

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
    found = np.zeros((0, 128), np.float32) if descriptors is None else np.asarray(descriptors, np.float32)
    roots = np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6))
    return Features(hashlib.sha256(image.tobytes()).hexdigest(), thumbnail(np.asarray(grey, np.uint8)), places, roots)


def thumbnail(grey: npt.NDArray[np.uint8]) -> Floats:
    """Return the high-passed thumbnail of a grey image (H, W); all zeros if it is blank.

    >>> float(thumbnail(np.full((64, 64), 7, np.uint8)).max())
    0.0
    """
    small = cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= cv2.GaussianBlur(small, (0, 0), HIGH_PASS, borderType=cv2.BORDER_REFLECT)
    small -= small.mean()
    norm = float(np.linalg.norm(small))
    return np.asarray(small / norm if norm > 1e-3 else np.zeros_like(small), np.float32)
