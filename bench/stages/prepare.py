"""Prepare: data/<dataset> -> prepared/<dataset>: resize, binarise, split, one array per kind."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench import plugins
from bench.data.dataset import Pair
from bench.data.duplicates import THUMBNAIL, find_duplicates, join_groups, thumbnail
from bench.data.images import read_image, read_mask
from bench.data.index import published_split
from bench.data.split import grouped_split, random_split, with_validation
from bench.errors import UserError, shorten
from bench.formats import files, prepared
from bench.formats.split import load_or_create

Array = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PrepareSettings:
    """How raw pairs become arrays.

    Attributes:
        image_size: side of the square that images and masks are resized to, px.
        mask_threshold: a pixel is crack where its grey level is above this, 0 to 254.
        split: "random" by item, "grouped" by source photograph with balanced crack share (images that show the same
            picture count as one photograph), "published" as the merged collection lists it.
        test_share: share of the items for testing, between 0 and 1; the published split has its own.
        validation_share: share of the rest for validation, 0 to below 1.
        seed: of the split.
        skip: pairs to leave out, "<dataset>/<item>"; the way to go on without a broken file.
    """

    image_size: int
    mask_threshold: int
    split: Literal["random", "grouped", "published"]
    test_share: float
    validation_share: float
    seed: int
    skip: list[str]

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 32 <= self.image_size <= 16384 or self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, got {self.image_size}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if not 0 <= self.mask_threshold <= 254:
            raise ValueError(f"mask_threshold must be 0 to 254, got {self.mask_threshold}")
        if not 0 < self.test_share < 1 or not 0 <= self.validation_share < 1:
            raise ValueError("test_share must lie between 0 and 1, validation_share from 0 to below 1")


def run(source: Path, target: Path, dataset: str, settings: PrepareSettings, splits: Path | None = None) -> None:
    """Write the prepared dataset.

    Args:
        source: the folder of the dataset's images and masks.
        target: where to write.
        dataset: its id.
        settings: the section ``prepare`` of params.yaml.
        splits: folder of the manifests; a split that is there is used again, a new one is written.

    Raises:
        UserError: pairs are missing or faulty; all faults are counted and the first ones named.
    """
    plugin = plugins.load("datasets", dataset)
    origin = files.read_object(source / "source.json", {"source": str}, "run `bench download`")
    skip = {name.removeprefix(f"{dataset}/") for name in settings.skip if name.startswith(f"{dataset}/")}
    every = plugin.pairs(source)
    _require_known(dataset, skip, [pair.item for pair in every], settings.skip)
    pairs = [pair for pair in every if pair.item not in skip]
    if len(pairs) < 2:
        raise UserError(f"{source} holds {len(pairs)} pairs: at least 2 are needed, one to train on and one to test.")
    groups = [pair.photo for pair in pairs]
    facts = _split_facts(settings, groups)
    if settings.split == "grouped" and (alike := _duplicates(dataset, pairs)):
        groups = join_groups(groups, alike)
        facts["duplicates"] = [[pairs[a].item, pairs[b].item] for a, b in alike]
    if splits is None:
        split = assign(dataset, pairs, settings, groups)
    else:
        names = [pair.item for pair in pairs]
        split = load_or_create(
            splits, dataset, settings.split, names, facts, lambda: assign(dataset, pairs, settings, groups)
        )
    items = pd.DataFrame(
        {
            "item": [pair.item for pair in pairs],
            "file": [pair.image.name for pair in pairs],
            "photo": [pair.photo for pair in pairs],
            "split": split,
        }
    )
    card = _card(dataset, plugin.CARD, origin, settings, split, skip)
    prepared.write(target, items, card, _arrays(dataset, source, pairs, plugin.CARD.classes, settings))


def assign(
    dataset: str,
    pairs: Sequence[Pair],
    settings: PrepareSettings,
    groups: Sequence[str],
    weights: Sequence[float] | None = None,
) -> list[str]:
    """Return "train", "validation" or "test" for each pair, as ``settings.split`` says.

    Args:
        dataset: its id.
        pairs: the dataset's.
        settings: kind, shares and seed of the split.
        groups: of each pair; a grouped split, and the validation part of a published one, keep a group together.
        weights: crack share of each pair; None: read from the masks where they are needed.

    Raises:
        UserError: the dataset has too few photographs, or no published split.
    """
    plugin, shares = plugins.load("datasets", dataset), (settings.test_share, settings.validation_share)
    if settings.split == "random":
        return random_split(len(pairs), *shares, settings.seed)
    weights = _crack_shares(dataset, pairs, plugin.CARD.classes) if weights is None else weights
    try:
        if settings.split == "grouped":
            return grouped_split(groups, weights, *shares, settings.seed)
        split = published_split(plugin.PREFIX, [pair.item for pair in pairs])
        return with_validation(split, groups, weights, settings.validation_share, settings.seed)
    except ValueError as error:
        raise UserError(f"dataset {dataset}: {error}; set prepare.split to random in params.yaml.") from None


def _require_known(dataset: str, skip: set[str], items: Sequence[str], entries: Sequence[str]) -> None:
    """Refuse what is to be skipped and is no pair of any dataset, or not of this one."""
    known = plugins.names("datasets")
    lost = [entry for entry in entries if entry.partition("/")[0] not in known or "/" not in entry]
    lost += [f"{dataset}/{item}" for item in sorted(skip - set(items))]
    if lost:
        likely = get_close_matches(lost[0].partition("/")[2], items, n=1)
        hint = f" Did you mean {dataset}/{likely[0]}?" if likely else ""
        raise UserError(f"prepare.skip names what is not there: {shorten(lost)}; write <dataset>/<item>.{hint}")


def _duplicates(dataset: str, pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    """Return the positions of images that show the same picture, though their names tell of different photographs.

    An image that cannot be read is like no other; it is named when its pixels are needed.
    """
    thumbnails = []
    for pair in tqdm(pairs, desc=f"compare {dataset}", unit="image"):
        try:
            thumbnails.append(thumbnail(cv2.cvtColor(read_image(pair.image), cv2.COLOR_RGB2GRAY).astype(np.uint8)))
        except UserError:
            thumbnails.append(np.zeros((THUMBNAIL, THUMBNAIL), np.float32))
    found = find_duplicates(np.stack(thumbnails))
    both = zip(found["a"].tolist(), found["b"].tolist(), strict=True)
    return [(a, b) for a, b in both if pairs[a].photo != pairs[b].photo]


def _crack_shares(dataset: str, pairs: Sequence[Pair], classes: int) -> list[float]:
    """Return the share of crack pixels of each mask, at half the grey range whatever the threshold of the protocol.

    A mask that cannot be read counts as empty here; it is named when its pixels are needed.
    """
    shares = []
    for pair in tqdm(pairs, desc=f"split {dataset}", unit="mask"):
        try:
            shares.append(float(np.mean(read_mask(pair.mask, classes) > (127 if classes == 1 else 0))))
        except UserError:
            shares.append(0.0)
    return shares


def _split_facts(settings: PrepareSettings, photos: Sequence[str]) -> dict[str, Any]:
    """Return what a split depends on beside the names of the items."""
    names = ("split", "test_share", "validation_share", "seed")
    return {name: getattr(settings, name) for name in names} | {"photos": files.digest(list(photos))}


def _arrays(
    dataset: str, source: Path, pairs: Sequence[Pair], classes: int, settings: PrepareSettings
) -> Iterator[tuple[Array, Array, tuple[int, int]]]:
    """Yield image, labels and native size of each pair; go through all of them before complaining.

    Raises:
        UserError: some pairs are faulty; they are counted, the first ones named, with the cure. Or a file is another
            than was downloaded, which a decoder need not notice.
    """
    faults = []
    side = settings.image_size
    for pair in tqdm(pairs, desc=f"prepare {dataset}", unit="image"):
        try:
            image, mask = read_image(pair.image), read_mask(pair.mask, classes)
            if image.shape[:2] != mask.shape:
                sizes = f"{mask.shape[1]}x{mask.shape[0]} px, its image {image.shape[1]}x{image.shape[0]} px"
                raise UserError(f"{pair.mask} is {sizes}.")
        except UserError as error:
            faults.append(str(error).rstrip("."))
            yield np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8), (0, 0)
            continue
        labels = mask if classes > 1 else (mask > settings.mask_threshold).astype(np.uint8)
        yield *resize(image, labels, side), (image.shape[0], image.shape[1])
    if faults:
        raise UserError(
            f"dataset {dataset}: {len(faults)} of {len(pairs)} pairs are faulty: {shorten(faults, 3)}. "
            f"Replace them, or list them as {dataset}/<item> in prepare.skip of params.yaml."
        )
    paths = [source / "source.json", *(path for pair in pairs for path in (pair.image, pair.mask))]
    files.verify(source, [path.relative_to(source).as_posix() for path in paths])


def resize(image: Array, labels: Array, size: int) -> tuple[Array, Array]:
    """Return image and labels at ``size`` x ``size`` px.

    The image by area where it shrinks and linearly where it grows, the labels by nearest neighbour.

    Args:
        image: (H, W, 3).
        labels: (H, W), class of each pixel.
        size: side, px.
    """
    grows = size > min(image.shape[:2])
    resized = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR if grows else cv2.INTER_AREA)
    nearest = cv2.resize(labels, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8), np.asarray(nearest, np.uint8)


def _card(
    dataset: str, card: Any, origin: dict[str, Any], settings: PrepareSettings, split: list[str], skip: set[str]
) -> dict[str, Any]:
    """Return what card.json says of a prepared dataset."""
    published = {key: value for key, value in asdict(card).items() if key != "classes"}
    recorded = {**asdict(settings), "skip": sorted(skip)}
    counts = {name: split.count(name) for name in ("train", "validation", "test")}
    return {
        "dataset": dataset,
        "classes": card.classes,
        "published": published,
        "origin": origin,
        "settings": recorded,
        "counts": counts,
    }
