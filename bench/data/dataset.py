"""The parts of a dataset file: card, original archive, pairs of image and mask, and their source images."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from bench.errors import UserError, shorten

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
MASK_SUFFIXES = IMAGE_SUFFIXES | {".mat"}


@dataclass(frozen=True)
class Card:
    """Facts about a dataset as published.

    Attributes:
        name: display name, as printed in the paper.
        crack_type: as in the paper's Table 1.
        scene: what the images show.
        images: number of pairs in the published collection; of a pinned dataset, of its pinned files.
        photographs: number of source images they were cut from.
        crack_share_pct: their mean share of crack pixels, percent.
        licence: terms stated by the authors.
        citation: publication to cite.
        classes: 1 for crack against background, else the number of classes, background included.
        class_names: names of the classes, background first; empty: not named, or crack against background.
        coded: whether its masks hold class numbers (0 background, 1 crack or the classes, 255 ignored) instead of grey
            levels, of which a threshold makes crack.
        shares_photographs_with: ids of the datasets that contain some of the same source images.
    """

    name: str
    crack_type: str
    scene: str
    images: int
    photographs: int
    crack_share_pct: float
    licence: str
    citation: str
    classes: int = 1
    class_names: tuple[str, ...] = ()
    coded: bool = False
    shares_photographs_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Archive:
    """The archive published by the authors of a dataset.

    Attributes:
        file: file name of the local copy.
        urls: direct links, tried in order.
        page: web page for downloading it by hand.
        select: names of all members -> {path below the dataset's folder: member}; empty for a different archive.
        crack_value: grey level of crack in the masks if it is not the brightest; masks are rewritten as 0 and 255.
    """

    file: str
    urls: tuple[str, ...]
    page: str
    select: Callable[[Sequence[str]], Mapping[str, str]]
    crack_value: int | None = None


@dataclass(frozen=True)
class Pinned:
    """A public repository, some files of which, at one commit, are a dataset; `bench.data.pinned` lists them.

    Attributes:
        repository: owner and name on GitHub.
        commit: full id of the commit.
        crack_value: value of crack in the masks; None: whatever is brighter than half the grey range.
    """

    repository: str
    commit: str
    crack_value: int | None = None

    @property
    def page(self) -> str:
        """Return the web page of the repository at the commit."""
        return f"https://github.com/{self.repository}/tree/{self.commit}"


@dataclass(frozen=True)
class Pair:
    """One image with its mask; ``item`` is the name of the pair, ``photo`` the source image it was cut from."""

    item: str
    image: Path
    mask: Path
    photo: str


def photo_of(plugin: ModuleType, item: str) -> str:
    """Return the name of the source image of an item.

    A dataset file either defines ``photo(item)`` or states a pattern ``PHOTO``, whose first group is the source image
    in the name of an item. An item that does not match the pattern is its own source image. Source images that show
    the same place count as one where ``SAME_PLACE`` names an earlier one for them.

    Raises:
        UserError: the dataset file has neither.
    """
    if hasattr(plugin, "photo"):
        photo = str(plugin.photo(item))
    elif hasattr(plugin, "PHOTO"):
        match = re.fullmatch(plugin.PHOTO, item)
        photo = str(match[1]) if match else item
    else:
        raise UserError(f"{plugin.__name__} does not name the source image of an item: add PHOTO = r'(.+)'.")
    return str(getattr(plugin, "SAME_PLACE", {}).get(photo, photo))


def pairs_of(plugin: ModuleType, root: Path) -> list[Pair]:
    """Return the pairs of a dataset below ``root``: by its own ``pairs(root)`` if it defines one, else by file name.

    Raises:
        UserError: see `pairs_by_stem`.
    """
    if hasattr(plugin, "pairs"):
        return list(plugin.pairs(root))
    return pairs_by_stem(root, lambda item: photo_of(plugin, item))


def pairs_by_stem(root: Path, photo: Callable[[str], str]) -> list[Pair]:
    """Return the pairs ``root/images/X.*`` and ``root/masks/X.*``, sorted by X.

    Args:
        root: folder of the dataset.
        photo: name X of a pair -> name of its source image.

    Raises:
        UserError: no images, two files with the same name, or unpaired files (all counted, the first ones named).
    """
    images = _files_by_stem(root / "images", IMAGE_SUFFIXES)
    masks = _files_by_stem(root / "masks", MASK_SUFFIXES)
    if not images:
        raise UserError(f"{root / 'images'} holds no images: run `bench download`, then `dvc repro`.")
    unpaired = [f"images/{images[s].name}" for s in sorted(images.keys() - masks.keys())]
    unpaired += [f"masks/{masks[s].name}" for s in sorted(masks.keys() - images.keys())]
    if unpaired:
        raise UserError(
            f"{root}: {len(unpaired)} of {len(images)} images and {len(masks)} masks have no partner of the same name: "
            f"{shorten(unpaired)}. Add the partner or remove the file."
        )
    return [Pair(stem, images[stem], masks[stem], photo(stem)) for stem in sorted(images)]


def _files_by_stem(folder: Path, suffixes: set[str]) -> dict[str, Path]:
    """Return the files of a folder by stem.

    Raises:
        UserError: other kinds of file, or two files with the same stem.
    """
    paths = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    others = [p.name for p in paths if p.suffix.lower() not in suffixes or not p.is_file()]
    if others:
        raise UserError(f"{folder}: {len(others)} entries are not images: {shorten(others)}. Remove them.")
    return by_stem(folder, paths)


def by_stem(folder: Path, paths: Sequence[Path]) -> dict[str, Path]:
    """Return files of a folder by stem.

    Raises:
        UserError: two files with the same stem.
    """
    duplicates = [stem for stem, count in Counter(p.stem for p in paths).items() if count > 1]
    if duplicates:
        raise UserError(
            f"{folder}: {len(duplicates)} names occur more than once: {shorten(duplicates)}. Keep one file of each."
        )
    return {p.stem: p for p in paths}
