"""Find duplicate images, even if recompressed, resized, brightened, mirrored or rotated."""

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench.data.dataset import Pair
from bench.data.images import read_image
from bench.errors import UserError

Floats = npt.NDArray[np.float32]

THUMBNAIL = 32
HIGH_PASS = 4.0
"""Standard deviation, px of the thumbnail, of the blur that is subtracted, which removes the lighting."""
ALIKE = 0.9
"""Least correlation of the thumbnails of duplicates; different images stay below (benchmarks/leakage.py)."""
BLOCK = 2048
"""Thumbnails compared in one matrix product."""

TURNS = ("", "turn 90", "turn 180", "turn 270", "mirror", "mirror, turn 90", "mirror, turn 180", "mirror, turn 270")


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


def orientations(thumbnails: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield the eight orientations of images (N, S, S) with their names."""
    for mirror in (0, 4):
        base = thumbnails[:, :, ::-1] if mirror else thumbnails
        for quarter in range(4):
            yield TURNS[mirror + quarter], np.rot90(base, quarter, (1, 2))


def find_duplicates(thumbnails: Floats, alike: float = ALIKE) -> pd.DataFrame:
    """Return the pairs of images that match in one of the eight orientations.

    Every pair is compared: hashing could miss some.

    Args:
        thumbnails: (N, S, S), zero mean and unit norm each.
        alike: least correlation of a match.

    Returns:
        Columns a, b (positions, a < b), turn (the orientation in which b looks like a), similarity; sorted.
    """
    count = len(thumbnails)
    flat = thumbnails.reshape(count, -1)
    best: dict[tuple[int, int], tuple[float, str]] = {}
    for turn, rotated in orientations(thumbnails):
        other = np.ascontiguousarray(rotated).reshape(count, -1)
        for start in range(0, count, BLOCK):
            block = flat[start : start + BLOCK] @ other[start:].T  # pairs (a, b) with b in this block or a later one
            for row, column in np.argwhere(block > alike).tolist():
                a, b, value = start + row, start + column, float(block[row, column])
                if a < b and value > best.get((a, b), (0.0, ""))[0] + 1e-6:
                    best[a, b] = value, turn
    rows = [[a, b, turn, min(value, 1.0)] for (a, b), (value, turn) in sorted(best.items())]
    return pd.DataFrame(rows, columns=["a", "b", "turn", "similarity"])


def duplicates_across(pairs: Sequence[Pair], desc: str) -> list[tuple[int, int]]:
    """Return the positions of duplicate images whose names state different source images.

    Unreadable images match nothing here; the error is raised when they are decoded.
    """
    thumbnails = []
    for pair in tqdm(pairs, desc=desc, unit="image"):
        try:
            thumbnails.append(thumbnail(cv2.cvtColor(read_image(pair.image), cv2.COLOR_RGB2GRAY).astype(np.uint8)))
        except UserError:
            thumbnails.append(np.zeros((THUMBNAIL, THUMBNAIL), np.float32))
    duplicates = find_duplicates(np.stack(thumbnails))
    positions = zip(duplicates["a"].tolist(), duplicates["b"].tolist(), strict=True)
    return [(a, b) for a, b in positions if pairs[a].photo != pairs[b].photo]


def join_groups(groups: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[str]:
    """Return the group of each position after merging the groups of each pair, under the name that sorts first.

    >>> join_groups(["p", "q", "r", "s", "q"], [(0, 1), (4, 2)])
    ['p', 'p', 'p', 's', 'p']
    """
    root = {name: name for name in groups}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for a, b in pairs:
        first, second = sorted((find(groups[a]), find(groups[b])))
        root[second] = first
    return [find(name) for name in groups]
