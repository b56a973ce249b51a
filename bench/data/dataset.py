"""What every dataset file is made of: its card, its archive as first published, and pairing by file name."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError, shorten

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}
MASK_SUFFIXES = IMAGE_SUFFIXES | {".mat"}


@dataclass(frozen=True)
class Card:
    """Facts about a dataset as published.

    Attributes:
        name: display name as the paper prints it.
        crack_type: as in the paper's Table 1.
        scene: what the photographs show.
        images: pairs in the published collection.
        photographs: source photographs behind them.
        crack_share_pct: mean share of crack pixels there, percent.
        licence: terms as stated by the authors.
        citation: who to cite.
        classes: 1 for crack against background, else the number of classes, background included.
        shares_photographs_with: ids of the datasets that hold some of the same source images.
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
    shares_photographs_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Archive:
    """The archive in which a dataset's own authors publish it.

    Attributes:
        file: name under which the archive is kept.
        urls: direct links, tried in order.
        page: where a person finds it.
        select: names of all members -> {path below the dataset's folder: member}; empty if it is another archive.
        crack_value: grey level of crack in its masks, where that is not the brightest; they are rewritten as 0 and 255.
    """

    file: str
    urls: tuple[str, ...]
    page: str
    select: Callable[[Sequence[str]], Mapping[str, str]]
    crack_value: int | None = None


@dataclass(frozen=True)
class Pair:
    """One image with its mask; ``item`` names the pair, ``photo`` the photograph it was cut from."""

    item: str
    image: Path
    mask: Path
    photo: str


def pairs_by_stem(root: Path, photo: Callable[[str], str]) -> list[Pair]:
    """Return the pairs ``root/images/X.*`` and ``root/masks/X.*``, sorted by X.

    Args:
        root: folder of the dataset.
        photo: name X of a pair -> name of its source photograph.

    Raises:
        UserError: no images, two files of one name, or files without partner (all counted, the first ones named).
    """
    images = _listed(root / "images", IMAGE_SUFFIXES)
    masks = _listed(root / "masks", MASK_SUFFIXES)
    if not images:
        raise UserError(f"{root / 'images'} holds no images: run `bench download`, then `dvc repro`.")
    lonely = [f"images/{images[s].name}" for s in sorted(images.keys() - masks.keys())]
    lonely += [f"masks/{masks[s].name}" for s in sorted(masks.keys() - images.keys())]
    if lonely:
        raise UserError(
            f"{root}: {len(lonely)} of {len(images)} images and {len(masks)} masks have no partner of the same name: "
            f"{shorten(lonely)}. Add the partner or remove the file."
        )
    return [Pair(stem, images[stem], masks[stem], photo(stem)) for stem in sorted(images)]


def _listed(folder: Path, suffixes: set[str]) -> dict[str, Path]:
    """Return the files of a folder by stem; other kinds of file are refused by name, as are doubles."""
    paths = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    strange = [p.name for p in paths if p.suffix.lower() not in suffixes or not p.is_file()]
    if strange:
        raise UserError(f"{folder}: {len(strange)} entries are no images: {shorten(strange)}. Remove them.")
    return by_stem(folder, paths)


def by_stem(folder: Path, paths: Sequence[Path]) -> dict[str, Path]:
    """Return files of a folder by stem; doubles are refused by name."""
    doubles = [stem for stem, count in Counter(p.stem for p in paths).items() if count > 1]
    if doubles:
        raise UserError(f"{folder}: {len(doubles)} names stand twice: {shorten(doubles)}. Keep one file of each.")
    return {p.stem: p for p in paths}
