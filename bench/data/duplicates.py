"""Find images that show the same picture: recompressed, resized, brightened, mirrored or turned."""

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float32]

THUMBNAIL = 32
HIGH_PASS = 4.0
"""Standard deviation, px of the thumbnail, of the blur taken off: what is left is not the light but the thing."""
ALIKE = 0.9
"""Least correlation of two thumbnails of one picture. Measured in benchmarks/leakage.py: unlike pictures stay below."""
BLOCK = 2048

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
    """Yield the eight orientations of pictures (N, S, S) with their names."""
    for mirror in (0, 4):
        seen = thumbnails[:, :, ::-1] if mirror else thumbnails
        for quarter in range(4):
            yield TURNS[mirror + quarter], np.rot90(seen, quarter, (1, 2))


def find_duplicates(thumbnails: Floats, alike: float = ALIKE) -> pd.DataFrame:
    """Return the pairs of pictures that are alike in one of the eight orientations.

    Every pair is compared, so that nothing hangs on the luck of a hash table.

    Args:
        thumbnails: (N, S, S), zero mean and unit norm each.
        alike: least correlation.

    Returns:
        Columns a, b (positions, a < b), turn (what makes b look like a), similarity; sorted.
    """
    count = len(thumbnails)
    flat = thumbnails.reshape(count, -1)
    found: dict[tuple[int, int], tuple[float, str]] = {}
    for turn, seen in orientations(thumbnails):
        other = np.ascontiguousarray(seen).reshape(count, -1)
        for start in range(0, count, BLOCK):
            block = flat[start : start + BLOCK] @ other[start:].T  # pairs (a, b) with b in the block or after it
            rows, columns = np.nonzero(block > alike)
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                a, b, value = start + row, start + column, float(block[row, column])
                if a < b and value > found.get((a, b), (0.0, ""))[0] + 1e-6:
                    found[a, b] = value, turn
    rows_found = [[a, b, turn, min(value, 1.0)] for (a, b), (value, turn) in sorted(found.items())]
    return pd.DataFrame(rows_found, columns=["a", "b", "turn", "similarity"])


def join_groups(groups: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[str]:
    """Return the groups after those of each pair of positions became one, under the name that sorts first.

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
