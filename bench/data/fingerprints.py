"""Fingerprints of images, which survive resizing and JPEG, and the index of those of public images."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.data.dataset import IMAGE_SUFFIXES
from bench.data.folder import listed
from bench.data.images import read_image
from bench.data.parallel_map import parallel_map
from bench.errors import UserError, instead_of
from bench.formats import files

Prints = npt.NDArray[np.uint8]
"""Fingerprints, (N, 32)."""

PATH = Path(__file__).with_name("fingerprints.npz")
"""Written by benchmarks/fingerprints.py: fingerprints, the set of each, the names of the sets."""

SIDE, LOW = 64, 16
NEAR = 64
"""Most differing bits of one image. 896 images of seven public sets, resized to 128 px and saved as JPEG of quality 30,
differed in at most 64 bits, 99 % of them in at most 46; the nearest two different images in 88."""
BLOCK = 512


def fingerprint(image: npt.NDArray[np.uint8]) -> Prints:
    """Return the fingerprints of an image (H, W, 3) in its eight orientations, (8, 32); zeros if it is blank.

    Each of 255 bits says whether a low frequency of the picture, squeezed to a square, is above the median.

    **Source:** Zauner 2010, Implementation and benchmarking of perceptual image hash functions (DCT hash).

    >>> int(fingerprint(np.full((20, 30, 3), 7, np.uint8)).max())
    0
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if float(small.std()) < 1e-3:
        return np.zeros((8, 32), np.uint8)
    turned = [np.rot90(view, quarter) for view in (small, small[:, ::-1]) for quarter in range(4)]
    low = np.stack([cv2.dct(np.ascontiguousarray(view))[:LOW, :LOW].ravel()[1:] for view in turned])
    return np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)


def are_near(queries: Sequence[Prints], known: Prints) -> npt.NDArray[np.bool_]:
    """Return whether each query looks like one of the known images in one of its orientations, (N,).

    Args:
        queries: of each image what ``fingerprint`` returns.
        known: first orientation of each known image, (M, 32).
    """
    found = np.zeros(len(queries), np.bool_)
    known = known[known.any(axis=1)]
    signs = _signs(known)
    for start in range(0, len(queries) if len(known) else 0, BLOCK):
        block = np.stack(list(queries[start : start + BLOCK]))
        products = _signs(block.reshape(-1, 32)) @ signs.T
        near = ((256 - products) / 2 <= NEAR).any(axis=1).reshape(-1, 8).any(axis=1)
        found[start : start + BLOCK] = near & block.any(axis=(1, 2))
    return found


def _signs(prints: Prints) -> npt.NDArray[np.float32]:
    return np.unpackbits(prints, axis=1).astype(np.float32) * 2 - 1


def of_folder(folder: Path) -> Prints:
    """Return the fingerprints of all images in a folder and the folders in it, (N, 32).

    Raises:
        UserError: there are none, or one cannot be read.
    """
    paths = listed(folder, IMAGE_SUFFIXES)
    if not paths:
        raise UserError(f"{folder} contains no images: give the folder of your training images.")
    prints: Prints = np.stack(parallel_map(_first, paths, "fingerprint images"))
    return prints


def _first(path: Path) -> Prints:
    first: Prints = fingerprint(read_image(path))[0]
    return first


@cache
def _index() -> dict[str, Prints]:
    """Return the fingerprints of each set in the index."""
    arrays = files.read_arrays(PATH, ["fingerprints", "sets", "names"])
    names = [str(name) for name in arrays["names"]]
    return {name: arrays["fingerprints"][arrays["sets"] == number] for number, name in enumerate(names)}


def known_sets() -> dict[str, int]:
    """Return the number of images in the index of each public set."""
    return {name: len(prints) for name, prints in _index().items()}


def of_set(name: str) -> Prints:
    """Return the fingerprints of a public set, (N, 32).

    Raises:
        UserError: the index does not know the set.
    """
    if name not in _index():
        raise UserError(f"--seen: no set {name!r} among the public ones{instead_of(name, known_sets(), 'sets')}")
    prints: Prints = _index()[name]
    return prints
