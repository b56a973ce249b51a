"""Assign the pairs of a dataset to training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench import plugins
from bench.data.dataset import Card, Pair
from bench.data.images import read_mask
from bench.data.index import published_split
from bench.data.own_split import own_split
from bench.data.split import grouped_split, random_split, with_validation
from bench.errors import UserError
from bench.formats.prepared import IGNORED


@dataclass(frozen=True)
class SplitPlan:
    """How a dataset is split.

    Attributes:
        split: "random" by item, "grouped" by source image, "published" as listed in the merged collection, or by
            the user.
        test_share: share of the items for testing.
        validation_share: share of the rest for validation.
        seed: random seed.
    """

    split: str
    test_share: float
    validation_share: float
    seed: int


def assign(
    dataset: str,
    pairs: Sequence[Pair],
    plan: SplitPlan,
    groups: Sequence[str],
    weights: Sequence[float] | None = None,
) -> list[str]:
    """Return "train", "validation" or "test" for each pair, as set by ``plan.split``.

    Args:
        dataset: its id.
        pairs: the pairs of the dataset.
        plan: kind, shares and seed of the split.
        groups: group of each pair; a grouped split, and the validation part of a published one, keep groups together.
        weights: crack share of each pair; None reads them from the masks if the split needs them.

    Raises:
        UserError: the dataset has too few source images, or no published split.
    """
    plugin, shares = plugins.load("datasets", dataset), (plan.test_share, plan.validation_share)
    if plan.split == "random":
        return random_split(len(pairs), *shares, plan.seed)
    weights = _crack_shares(dataset, pairs, plugin.CARD) if weights is None else weights
    try:
        if plan.split == "grouped":
            return grouped_split(groups, weights, *shares, plan.seed)
        items = [pair.item for pair in pairs]
        if own := own_split(pairs[0].image.parents[1], items):
            share = 0.0 if "validation" in own else plan.validation_share
            return with_validation(own, groups, weights, share, plan.seed)
        split = published_split(plugin.PREFIX, items)
        return with_validation(split, groups, weights, plan.validation_share, plan.seed)
    except ValueError as error:
        raise UserError(f"dataset {dataset}: {error}; set prepare.split to random in params.yaml.") from None


def _crack_shares(dataset: str, pairs: Sequence[Pair], card: Card) -> list[float]:
    """Return the share of crack pixels of each mask, above half the grey range whatever ``mask_threshold`` is.

    An unreadable mask counts as empty here; the error is raised when it is decoded.
    """
    shares = []
    for pair in tqdm(pairs, desc=f"split {dataset}", unit="mask"):
        try:
            shares.append(_crack_share(read_mask(pair.mask, card.classes, card.coded), card))
        except UserError:
            shares.append(0.0)
    return shares


def _crack_share(mask: npt.NDArray[np.uint8], card: Card) -> float:
    """Return the share of crack among the pixels that are not ignored; 0 if all are."""
    if card.classes == 1 and not card.coded:
        return float((mask > 127).mean())
    known = mask != IGNORED
    return float((known & (mask > 0)).sum() / max(known.sum(), 1))
