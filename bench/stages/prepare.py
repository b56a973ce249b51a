"""Prepare: data/<dataset> -> prepared/<dataset>: resize, binarise, split, store as arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench import plugins
from bench.data.assign import SplitPlan, assign
from bench.data.dataset import Card, Pair, pairs_of
from bench.data.images import read_image, read_mask, read_size
from bench.data.own_split import own_split
from bench.data.resize import MaskResize, resize
from bench.data.same_place import same_place_groups
from bench.data.split import choose_train_items
from bench.data.tiles import Place, cut, ignore_covered, tile_places
from bench.errors import UserError, shorten
from bench.formats import files, prepared
from bench.formats.split import load_or_create

Array = npt.NDArray[np.uint8]

SPLIT_SETTINGS = ("split", "test_share", "validation_share", "seed")
"""Settings that a split depends on."""
NOT_PUBLISHED = {"classes", "class_names", "coded", "shares_photographs_with"}
"""Fields of a `Card` that are not facts of the publication, so that card.json does not list them as such."""


@dataclass(frozen=True)
class PrepareSettings:
    """How raw pairs become arrays.

    Attributes:
        image_size: side of the square that networks see, px: a squeezed image, or a tile.
        geometry: "squeeze" resizes each image to the square, "tiles" cuts squares of it at native scale.
        tile_stride: from a tile to the next, px; None for the side, without overlap.
        mask_resize: "nearest" samples a squeezed mask, "any" keeps thin cracks in one piece.
        mask_threshold: a pixel is crack where its grey level is above this, 0 to 254.
        split: "random" by item, "grouped" by source image (duplicates count as one) with balanced crack share,
            "published" as in the merged collection or, for own data, its folders or `--split`.
        test_share: share of the items for testing, between 0 and 1; the published split has its own.
        validation_share: share of the rest for validation, at least 0 and below 1.
        train_items: how many of the training pairs to use, chosen by the seed; None for all.
        seed: random seed of the split.
        skip: pairs to leave out, "<dataset>/<item>", for instance a broken file.
    """

    image_size: int
    geometry: Literal["squeeze", "tiles"]
    tile_stride: int | None
    mask_resize: MaskResize
    mask_threshold: int
    split: Literal["random", "grouped", "published"]
    test_share: float
    validation_share: float
    train_items: int | None
    seed: int
    skip: list[str]

    @property
    def plan(self) -> SplitPlan:
        """The settings that decide the split."""
        return SplitPlan(self.split, self.test_share, self.validation_share, self.seed)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 32 <= self.image_size <= 16384 or self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, got {self.image_size}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if self.tile_stride is not None and not 1 <= self.tile_stride <= self.image_size:
            raise ValueError(f"tile_stride must be 1 to image_size ({self.image_size}) or null, got {self.tile_stride}")
        if self.train_items is not None and self.train_items < 2:
            raise ValueError(f"train_items must be at least 2 or null, got {self.train_items}")
        if not 0 <= self.mask_threshold <= 254:
            raise ValueError(f"mask_threshold must be 0 to 254, got {self.mask_threshold}")
        if not 0 < self.test_share < 1 or not 0 <= self.validation_share < 1:
            raise ValueError("test_share must lie between 0 and 1, validation_share must be at least 0 and below 1")


def run(source: Path, target: Path, dataset: str, settings: PrepareSettings, splits: Path | None = None) -> None:
    """Write the prepared dataset.

    Args:
        source: the folder of the dataset's images and masks.
        target: folder to write.
        dataset: its id.
        settings: the section ``prepare`` of params.yaml.
        splits: folder of the split manifests; an existing split is reused, a new one is written.

    Raises:
        UserError: pairs are missing or faulty; all faults are counted and the first ones named.
    """
    card = plugins.load("datasets", dataset).CARD
    origin = files.read_object(source / "source.json", {"source": str}, "run `bench download`")
    pairs, skip = _read_pairs(source, dataset, settings)
    split = _split(dataset, pairs, settings, splits)
    chosen = choose_train_items(split, settings.train_items, settings.seed)
    pairs, split = [pairs[i] for i in chosen], [split[i] for i in chosen]
    places = [_places(pair, settings) for pair in pairs]
    items = _items(pairs, split, places)
    record = _card(dataset, card, origin, settings, items, skip)
    prepared.write(target, items, record, _arrays(dataset, source, pairs, split, places, card, settings))


def _places(pair: Pair, settings: PrepareSettings) -> list[Place]:
    """Return the places of a pair's tiles; a squeezed image has one, at the top left.

    An unreadable image has one too; the error is raised when it is decoded.
    """
    if settings.geometry == "squeeze":
        return [(0, 0)]
    try:
        height, width = read_size(pair.image)
    except UserError:
        return [(0, 0)]
    return tile_places(height, width, settings.image_size, settings.tile_stride or settings.image_size)


def _items(pairs: Sequence[Pair], split: Sequence[str], places: Sequence[Sequence[Place]]) -> pd.DataFrame:
    """Return one row per array: a squeezed image, or a tile, whose name ends in its top and left."""
    rows = []
    for pair, part, of_pair in zip(pairs, split, places, strict=True):
        for top, left in of_pair:
            item = pair.item if len(of_pair) == 1 else f"{pair.item}_{top}_{left}"
            place = {"image": pair.item, "top": top, "left": left}
            rows.append({"item": item, "file": pair.image.name, "photo": pair.photo, "split": part} | place)
    return pd.DataFrame(rows)


def _read_pairs(source: Path, dataset: str, settings: PrepareSettings) -> tuple[list[Pair], set[str]]:
    """Return the pairs to prepare, and the items of this dataset that prepare.skip leaves out.

    Raises:
        UserError: an unknown item in prepare.skip, or fewer than two pairs.
    """
    skip = {name.removeprefix(f"{dataset}/") for name in settings.skip if name.startswith(f"{dataset}/")}
    every = pairs_of(plugins.load("datasets", dataset), source)
    _require_known(dataset, skip, [pair.item for pair in every], settings.skip)
    pairs = [pair for pair in every if pair.item not in skip]
    if len(pairs) < 2:
        raise UserError(f"{source} holds {len(pairs)} pairs: at least 2 are needed, one for training and one for test.")
    return pairs, skip


def _split(dataset: str, pairs: Sequence[Pair], settings: PrepareSettings, splits: Path | None) -> list[str]:
    """Return the part of each pair; reuse its manifest in ``splits`` if there is one, else write it."""
    groups = [pair.photo for pair in pairs]
    facts: dict[str, Any] = {name: getattr(settings, name) for name in SPLIT_SETTINGS}
    facts["photos"] = files.digest(groups)
    names = [pair.item for pair in pairs]
    if settings.split == "published" and (own := own_split(pairs[0].image.parents[1], names)):
        facts["published"] = files.digest(own)
    if settings.split == "grouped":
        groups, joined = same_place_groups(dataset, plugins.load("datasets", dataset), pairs)
        facts |= joined
    make = partial(assign, dataset, pairs, settings.plan, groups)
    return make() if splits is None else load_or_create(splits, dataset, settings.split, names, facts, make)


def _require_known(dataset: str, skip: set[str], items: Sequence[str], entries: Sequence[str]) -> None:
    """Raise a UserError if prepare.skip names an unknown dataset, or an unknown item of this one."""
    known = plugins.names("datasets")
    unknown = [entry for entry in entries if entry.partition("/")[0] not in known or "/" not in entry]
    unknown += [f"{dataset}/{item}" for item in sorted(skip - set(items))]
    if unknown:
        likely = get_close_matches(unknown[0].partition("/")[2], items, n=1)
        hint = f" Did you mean {dataset}/{likely[0]}?" if likely else ""
        raise UserError(f"prepare.skip names unknown pairs: {shorten(unknown)}; write <dataset>/<item>.{hint}")


def _arrays(
    dataset: str,
    source: Path,
    pairs: Sequence[Pair],
    split: Sequence[str],
    places: Sequence[Sequence[Place]],
    card: Card,
    settings: PrepareSettings,
) -> Iterator[tuple[Array, Array, tuple[int, int]]]:
    """Yield image, labels and native size of each item; errors are collected and raised after the last pair.

    Raises:
        UserError: some pairs are faulty (counted, the first ones named, with a hint), or a file changed since it was
            downloaded, which a decoder need not notice.
    """
    faults = []
    side = settings.image_size
    progress = tqdm(zip(pairs, split, places, strict=True), desc=f"prepare {dataset}", total=len(pairs), unit="image")
    for pair, part, of_pair in progress:
        try:
            image, labels = _read_pair(pair, card, settings)
        except UserError as error:
            faults.append(str(error).rstrip("."))
            for _ in of_pair:
                yield np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8), (0, 0)
            continue
        size = (image.shape[0], image.shape[1])
        if settings.geometry == "squeeze":
            yield *resize(image, labels, side, settings.mask_resize), size
            continue
        for number, place in enumerate(of_pair):
            tile, known = cut(image, labels, place, side)
            yield tile, known if part == "train" else ignore_covered(known, of_pair, number), size
    if faults:
        raise UserError(
            f"dataset {dataset}: {len(faults)} of {len(pairs)} pairs are faulty: {shorten(faults, 3)}. "
            f"Replace them, or list them as {dataset}/<item> in prepare.skip of params.yaml."
        )
    paths = [source / "source.json", *(path for pair in pairs for path in (pair.image, pair.mask))]
    files.verify(source, [path.relative_to(source).as_posix() for path in paths])


def _read_pair(pair: Pair, card: Card, settings: PrepareSettings) -> tuple[Array, Array]:
    """Return the image (H, W, 3) and the class of each pixel (H, W), 255 where ignored.

    Raises:
        UserError: a file cannot be read, or the sizes differ.
    """
    image, mask = read_image(pair.image), read_mask(pair.mask, card.classes, card.coded)
    if image.shape[:2] != mask.shape:
        sizes = f"{mask.shape[1]}x{mask.shape[0]} px, its image {image.shape[1]}x{image.shape[0]} px"
        raise UserError(f"{pair.mask} is {sizes}.")
    is_grey = card.classes == 1 and not card.coded
    return image, (mask > settings.mask_threshold).astype(np.uint8) if is_grey else mask


def _card(
    dataset: str, card: Card, origin: dict[str, Any], settings: PrepareSettings, items: pd.DataFrame, skip: set[str]
) -> dict[str, Any]:
    """Return the content of card.json."""
    published = {key: value for key, value in asdict(card).items() if key not in NOT_PUBLISHED}
    counts = {name: int((items["split"] == name).sum()) for name in ("train", "validation", "test")}
    return {
        "dataset": dataset,
        "classes": card.classes,
        **({"class_names": list(card.class_names)} if card.class_names else {}),
        "published": published,
        "origin": origin,
        "settings": {**asdict(settings), "skip": sorted(skip)},
        "counts": counts,
        "test_images": int(items.loc[items["split"] == "test", "image"].nunique()),
    }
