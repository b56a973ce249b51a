"""Group images that show one place, though their names state different source images."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from bench.data.crops import find_crops
from bench.data.dataset import Pair
from bench.data.duplicates import duplicates_across, join_groups
from bench.data.features import Features, extract
from bench.data.images import read_image
from bench.data.parallel_map import parallel_map
from bench.errors import UserError

Found = dict[str, list[list[str]]]


def same_place_groups(dataset: str, plugin: ModuleType, pairs: Sequence[Pair]) -> tuple[list[str], Found]:
    """Return the group of each pair, and the pairs of images that joined groups: duplicates, and overlapping crops.

    Overlaps are not searched for if the dataset's file lists what shows the same place (``SAME_PLACE``).
    """
    groups, found = [pair.photo for pair in pairs], {}
    duplicates = duplicates_across(pairs, f"compare {dataset}")
    groups = join_groups(groups, duplicates)
    overlaps = [] if hasattr(plugin, "SAME_PLACE") else _overlaps_across(pairs, groups)
    for kind, links in (("duplicates", duplicates), ("overlaps", overlaps)):
        if links:
            found[kind] = [[pairs[a].item, pairs[b].item] for a, b in links]
    return join_groups(groups, overlaps), found


def _overlaps_across(pairs: Sequence[Pair], groups: Sequence[str]) -> list[tuple[int, int]]:
    """Return the positions of overlapping images of different groups."""
    crops = find_crops(parallel_map(_features, [pair.image for pair in pairs], "find overlaps"))
    positions = zip(crops["a"].tolist(), crops["b"].tolist(), strict=True)
    return [(a, b) for a, b in positions if groups[a] != groups[b]]


def _features(path: Path) -> Features:
    """Return the features of an image; an unreadable one overlaps nothing: the error is raised when it is decoded."""
    try:
        return extract(read_image(path))
    except UserError:
        return extract(np.zeros((32, 32, 3), np.uint8))
