"""The index of the merged collection: for each file its published split, source image and crack share."""

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
"""The index has two digits; JPEG decoders differ by a grey level, which moves a few pixels across 127."""


@cache
def index(prefix: str) -> pd.DataFrame:
    """Return the files of one dataset of the collection.

    Columns: file; split (train or test, as published); photo (source image); crack_share_pct (pixels above 127,
    percent).

    **Source:** the published statistics of khanhha/crack_segmentation's collection, read in 2025.
    """
    frame = pd.read_csv(PATH, dtype={"photo": str})
    return frame[frame["file"].str.startswith(prefix)].reset_index(drop=True)


def published_split(prefix: str, items: Sequence[str]) -> list[str]:
    """Return "train" or "test" for each item, as in the collection's own lists.

    Items in no list, such as some of the originals, are for training.

    Raises:
        UserError: the lists contain no item.
    """
    known = index(prefix)
    splits = dict(zip(known["file"].map(_stem), known["split"], strict=True))
    listed = [splits.get(item, splits.get(prefix + item)) for item in items]
    if not any(listed):
        raise UserError(
            f"the published lists contain no item of this dataset (for instance {items[0]!r}): "
            "set prepare.split in params.yaml to random or grouped."
        )
    return [split or "train" for split in listed]


def deviations(prefix: str, pairs: Sequence[Pair], kind: str) -> list[str]:
    """Return the differences from the index, one line each; empty if there are none.

    Args:
        prefix: prefix of the dataset in the collection.
        pairs: the downloaded pairs.
        kind: "collection" compares crack shares too; "originals" compares names only, because sizes differ.
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
