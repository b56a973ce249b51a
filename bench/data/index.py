"""What the merged collection holds, file by file: names, published split, photograph, crack share."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from bench.data.dataset import Pair
from bench.data.images import read_mask
from bench.errors import UserError

PATH = Path(__file__).with_name("index.csv.gz")
TOLERANCE_PCT = 0.02
"""The index has two digits; decoders of JPEG differ by a grey level, which moves few pixels across 127."""


@cache
def index(prefix: str) -> pd.DataFrame:
    """Return the files of one dataset of the collection.

    Columns: file; split (train or test, as published); photo; crack_share_pct: pixels above 127, percent.

    **Source:** the published statistics of khanhha/crack_segmentation's collection, read in 2025.
    """
    frame = pd.read_csv(PATH, dtype={"photo": str})
    return frame[frame["file"].str.startswith(prefix)].reset_index(drop=True)


def published_split(prefix: str, items: Sequence[str]) -> list[str]:
    """Return "train" or "test" for each item as the collection's own lists have it.

    An item that is in no list, as some of the originals are, is for training.

    Raises:
        UserError: no item is in the lists.
    """
    known = index(prefix)
    splits = dict(zip(known["file"].map(_stem), known["split"], strict=True))
    found = [splits.get(item, splits.get(prefix + item)) for item in items]
    if not any(found):
        raise UserError(
            f"the published lists name no item of this dataset (like {items[0]!r}): "
            "set prepare.split in params.yaml to random or grouped."
        )
    return [split or "train" for split in found]


def deviations(prefix: str, pairs: Sequence[Pair], kind: str) -> list[str]:
    """Return what differs from the index, one line each; empty if all agrees.

    Args:
        prefix: of the dataset in the collection.
        pairs: what arrived.
        kind: "collection": crack shares are compared too; "originals": names alone, since sizes differ.
    """
    known = index(prefix)
    shares = dict(zip(known["file"].map(_stem), known["crack_share_pct"], strict=True))
    names = {pair.item if pair.item in shares else prefix + pair.item: pair for pair in pairs}
    lines = [f"missing: {name}" for name in sorted(shares.keys() - names.keys())]
    lines += [f"not in the index: {name}" for name in sorted(names.keys() - shares.keys())]
    if kind == "collection":
        for name in sorted(shares.keys() & names.keys()):
            share = 100 * float(np.mean(read_mask(names[name].mask) > 127))
            if abs(share - shares[name]) > TOLERANCE_PCT:
                lines.append(f"crack share: {name} has {share:.2f} %, expected {shares[name]:.2f} %")
    return lines


def _stem(file: str) -> str:
    return Path(file).stem
