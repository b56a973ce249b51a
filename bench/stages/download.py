"""Download: sources -> downloads/<dataset>/{images,masks,source.json}."""

import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench import plugins
from bench.datasets._collection import COLLECTION, select_from_collection
from bench.datasets._dataset import Archive
from bench.datasets._fetch import fetch
from bench.datasets._sample import generate
from bench.errors import UserError
from bench.formats import files

MAX_MEMBER_BYTES = 64 * 2**20
"""No image of the ten datasets comes near; a larger member is a decompression bomb or no image."""

DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, NotImplementedError, RuntimeError)
"""What reading a member raises: a wrong checksum, a stream that does not decompress, encryption."""

PARTIAL = ".partial"
"""Suffix of a folder that is being filled."""


@dataclass(frozen=True)
class Sample:
    """The embedded synthetic datasets: pairs per dataset, side in px, seed."""

    images: int
    size: int
    seed: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.images < 2 or self.size < 32 or self.seed < 0:
            raise ValueError("images must be at least 2, size at least 32 px and seed not negative")


@dataclass(frozen=True)
class Settings:
    """Where the data come from.

    Attributes:
        source: "collection" (the merged archive from the net), "originals" (as each dataset's authors publish it),
            "sample" (embedded, synthetic), or the path of a zip already on disk, of either of the first two.
        mirrors: own links to the merged archive, tried before the public ones.
        sample: the embedded datasets.
    """

    source: str
    mirrors: list[str]
    sample: Sample


def run(target: Path, datasets: Sequence[str], archives: Path, settings: Settings) -> None:
    """Fill ``target/<dataset>`` for each dataset; what is already there from the same source is kept.

    Args:
        target: the folder of downloads.
        datasets: ids of the datasets wanted; others that were downloaded before are removed.
        archives: where downloaded archives are kept, and found if a person put them there.
        settings: the section ``download`` of params.yaml.

    Raises:
        UserError: an archive cannot be had, is damaged or lacks a dataset.
    """
    for folder in target.glob("*/"):
        if folder.name not in datasets and ((folder / "source.json").is_file() or folder.suffix == PARTIAL):
            shutil.rmtree(folder)
    sha256 = cache(files.sha256)
    for name in tqdm(datasets, desc="download", unit="dataset"):
        if settings.source == "sample":
            fill, origin = _from_sample(name, settings.sample)
        else:
            fill, origin = _from_archive(name, _archive(name, archives, settings), sha256)
        card = plugins.load("datasets", name).CARD
        record = {**origin, "licence": card.licence, "citation": card.citation}
        if not _complete(target / name, record):
            _replace(target / name, fill, record)


def _from_sample(name: str, sample: Sample) -> tuple[Callable[[Path], None], dict[str, Any]]:
    """Return what draws the synthetic dataset, and its origin."""
    origin = {"source": "sample", **asdict(sample)}
    return lambda folder: generate(name, folder, sample.seed, sample.images, sample.size), origin


def _from_archive(
    name: str, path: Path, sha256: Callable[[Path], str]
) -> tuple[Callable[[Path], None], dict[str, Any]]:
    """Return what extracts a dataset from an archive, and its origin."""
    plugin = plugins.load("datasets", name)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(f"{path} is not a readable zip ({error}): delete it and download it again.") from None
    kind, chosen = "originals", plugin.ORIGINAL.select(members) if plugin.ORIGINAL else {}
    if not chosen:
        kind, chosen = "collection", select_from_collection(plugin.PREFIX, members)
    if not chosen:
        raise UserError(
            f"{path} holds no images of the dataset {name!r} (expected {plugin.PREFIX}*.jpg in images/ and masks/): "
            "use another archive, or drop the dataset from `datasets` in params.yaml."
        )
    origin = {"source": kind, "archive": path.name, "sha256": sha256(path), "files": len(chosen)}
    return lambda folder: _extract(path, chosen, folder), origin


def _archive(name: str, archives: Path, settings: Settings) -> Path:
    """Return the path of the archive that holds a dataset, downloaded if need be."""
    if settings.source == "collection":
        return fetch(COLLECTION, settings.mirrors, archives)
    if settings.source == "originals":
        original: Archive | None = plugins.load("datasets", name).ORIGINAL
        if original is None:
            raise UserError(
                f"dataset {name!r} has no archive of its own here: set download.source to 'collection' or to the path "
                f"of the merged archive ({COLLECTION.page}), or drop it from `datasets`."
            )
        return fetch(original, (), archives)
    path = Path(settings.source)
    if not path.is_file():
        raise UserError(
            f"download.source = {settings.source!r} is neither 'collection', 'originals' or 'sample' "
            "nor a zip on disk: correct the setting in params.yaml."
        )
    return path


def _extract(path: Path, chosen: Mapping[str, str], folder: Path) -> None:
    """Extract the chosen members under the names they are to have below ``folder``."""
    with zipfile.ZipFile(path) as archive:
        for target, member in chosen.items():
            info = archive.getinfo(member)
            if info.file_size > MAX_MEMBER_BYTES:
                raise UserError(f"{path}: {member!r} would unpack to {info.file_size} bytes: not an image, refused.")
            try:
                content = archive.read(info)
            except DAMAGE as error:
                raise UserError(f"{path}: {member!r} is damaged ({error}): download the archive again.") from None
            (folder / target).write_bytes(content)


def _complete(folder: Path, record: dict[str, Any]) -> bool:
    """Return whether a folder was filled from the same source before."""
    return (folder / "source.json").is_file() and files.read_json(folder / "source.json") == record


def _replace(folder: Path, fill: Callable[[Path], None], record: dict[str, Any]) -> None:
    """Fill a folder aside and put it in place whole, source.json last."""
    partial = folder.with_name(f".{folder.name}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    for part in ("images", "masks"):
        (partial / part).mkdir(parents=True)
    fill(partial)
    files.write_json(partial / "source.json", record)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
