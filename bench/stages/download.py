"""Download: sources -> downloads/<dataset>/{images,masks,source.json,deviations.txt}."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from bench import plugins
from bench.data.collection import COLLECTION
from bench.data.dataset import Archive
from bench.data.fetch import check, fetch
from bench.data.index import deviations
from bench.data.sources import NotHeldError, Origin, content_hash, from_folder, from_path
from bench.errors import UserError, shorten
from bench.formats import files
from bench.sample.generate import generate

NETWORK = ("collection", "originals")
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
        if not 2 <= self.images <= 100_000 or not 32 <= self.size <= 16384 or self.seed < 0:
            raise ValueError("images must be at least 2, size at least 32 px and seed not negative")


@dataclass(frozen=True)
class DownloadSettings:
    """Where the data come from.

    Attributes:
        source: "collection" (the merged archive from the net), "originals" (as each dataset's authors publish it),
            "sample" (embedded, synthetic), or the path of an archive or folder on disk, of either of the first two.
        mirrors: own links to the merged archive, tried before the public ones.
        sample: the embedded datasets.
    """

    source: str
    mirrors: list[str]
    sample: Sample


def run(
    target: Path,
    datasets: Sequence[str],
    archives: Path,
    settings: DownloadSettings,
    given: Path | None = None,
    pulled: Path | None = None,
) -> list[str]:
    """Fill ``target/<dataset>`` for each dataset; what is already there from the same source is kept.

    One dead source does not keep the other datasets from being filled.

    Args:
        target: the folder of downloads.
        datasets: ids of the datasets wanted; others that were downloaded before are removed.
        archives: where downloaded archives are kept, and found if a person put them there.
        settings: the section ``download`` of params.yaml.
        given: an archive or folder to take what it holds from, instead of the settings' source; a dataset that it does
            not hold is kept if it is there.
        pulled: folder of datasets that DVC may have pulled already; they are copied, not fetched again.

    Returns:
        One message for each dataset that could not be had.

    Raises:
        UserError: no dataset could be had.
    """
    if given is None:
        for folder in target.glob("*/"):
            if folder.name not in datasets and ((folder / "source.json").is_file() or folder.suffix == PARTIAL):
                shutil.rmtree(folder)
    sources = _Sources(archives, settings, given)
    failures: dict[str, UserError] = {}
    for name in tqdm(datasets, desc="download", unit="dataset"):
        try:
            if given is None and settings.source in NETWORK and _own_folder(name) is None:
                wanted = {"source": settings.source}
                if pulled is not None and not _has(target / name, wanted) and _has(pulled / name, wanted):
                    shutil.rmtree(target / name, ignore_errors=True)
                    shutil.copytree(pulled / name, target / name)
                if _has(target / name, wanted):
                    continue
            origin = sources.origin(name)
            if not _has(target / name, origin.facts):
                _replace(name, target / name, origin)
        except UserError as error:
            failures[name] = error
    if given is not None and any(_own_folder(name) is None for name in {*datasets} - {*failures}):
        failures = {
            name: error
            for name, error in failures.items()
            if not (isinstance(error, NotHeldError) and _has(target / name, {}))
        }
    if len(failures) == len(datasets):
        raise UserError("\n".join(dict.fromkeys(str(error) for error in failures.values())))
    return [f"{name} is missing: {error}" for name, error in failures.items()]


def status(target: Path, datasets: Sequence[str]) -> pd.DataFrame:
    """Return what is there of each dataset: source, files, bytes, state, licence.

    The state is "verified" if every byte is as it was written and the files agree with the collection's index.
    """
    rows = []
    for name in tqdm(datasets, desc="verify", unit="dataset"):
        card = plugins.load("datasets", name).CARD
        record = _record(target / name)
        content, count, size = content_hash(target / name)
        if not record:
            state = "missing: run `bench download`"
        elif content != record.get("content"):
            state = (
                f"changed since it was written ({count} files, {record['files']} written): delete it, download again"
            )
        elif record.get("deviations"):
            state = f"deviates from the index in {record['deviations']} places: see {target / name / 'deviations.txt'}"
        else:
            state = "verified"
        rows.append([name, record.get("source", ""), count, size, state, card.licence])
    return pd.DataFrame(rows, columns=["dataset", "source", "files", "bytes", "state", "licence"])


def _own_folder(name: str) -> str | None:
    """Return the folder of a dataset of one's own, None for the others."""
    folder: str | None = getattr(plugins.load("datasets", name), "FOLDER", None)
    return folder


class _Sources:
    """The origin of each dataset; an archive is fetched and hashed once, and its failure told once per dataset."""

    def __init__(self, archives: Path, settings: DownloadSettings, given: Path | None) -> None:
        self.archives, self.settings = archives, settings
        self.keyword = settings.source if given is None and settings.source in (*NETWORK, "sample") else None
        self.path = given or Path(settings.source)
        self._fetched: dict[str, tuple[Path, str] | UserError] = {}
        self._sha256 = cache(files.sha256)

    def origin(self, name: str) -> Origin:
        """Return where a dataset comes from.

        Raises:
            UserError: its archive cannot be had, is damaged, refused or holds something else.
        """
        plugin = plugins.load("datasets", name)
        folder = _own_folder(name)
        if folder is not None:
            return from_folder(Path(folder), plugin.CRACK_VALUE)
        if self.keyword == "sample":
            sample = self.settings.sample
            facts = {"source": "sample", **asdict(sample)}
            return Origin(facts, lambda folder: generate(name, folder, sample.seed, sample.images, sample.size))
        if self.keyword:
            path, sha256 = self._archive(name, plugin.ORIGINAL)
        else:
            path, sha256 = self.path, None
            if not path.exists():
                raise UserError(
                    f"download.source = {str(path)!r} is neither 'collection', 'originals' or 'sample' "
                    "nor an archive or folder on disk: correct the setting in params.yaml."
                )
            if path.is_file():
                sha256 = self._sha256(path)
        return from_path(name, path, sha256)

    def _archive(self, name: str, original: Archive | None) -> tuple[Path, str]:
        wanted = COLLECTION if self.keyword == "collection" else original
        if wanted is None:
            raise UserError(
                f"dataset {name!r} has no archive of its own here: set download.source to 'collection' or to the path "
                f"of the merged archive ({COLLECTION.page}), or drop it from `datasets`."
            )
        if wanted.file not in self._fetched:
            mirrors = self.settings.mirrors if wanted is COLLECTION else []
            try:
                path = fetch(wanted, mirrors, self.archives)
                self._fetched[wanted.file] = path, check(path, self.archives)
            except UserError as error:
                self._fetched[wanted.file] = error
        found = self._fetched[wanted.file]
        if isinstance(found, UserError):
            raise found
        return found


def _record(folder: Path) -> dict[str, Any]:
    path, kinds = folder / "source.json", {"source": str, "content": str, "files": int, "bytes": int}
    return dict(files.read_object(path, kinds, f"delete {folder} and download again")) if path.is_file() else {}


def _has(folder: Path, facts: dict[str, Any]) -> bool:
    """Return whether a folder was filled from the same source before, and still has as many files and bytes."""
    record = _record(folder)
    if not record or any(record.get(key) != value for key, value in facts.items()):
        return False
    present = [p for part in ("images", "masks") for p in (folder / part).glob("*")]
    return [len(present), sum(p.stat().st_size for p in present)] == [record["files"], record["bytes"]]


def _replace(name: str, folder: Path, origin: Origin) -> None:
    """Fill a folder aside, hold it against the index, and put it in place whole."""
    plugin = plugins.load("datasets", name)
    partial = folder.with_name(f".{folder.name}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    for part in ("images", "masks"):
        (partial / part).mkdir(parents=True)
    origin.fill(partial)
    content, count, size = content_hash(partial)
    record = {**origin.facts, "licence": plugin.CARD.licence, "citation": plugin.CARD.citation}
    record |= {"content": content, "files": count, "bytes": size}
    if origin.facts["source"] in NETWORK:
        lines = deviations(plugin.PREFIX, plugin.pairs(partial), origin.facts["source"])
        files.write_text(partial / "deviations.txt", "".join(f"{line}\n" for line in lines))
        record["deviations"] = len(lines)
        if lines:
            tqdm.write(f"{name}: deviates from the collection's index: {shorten(lines)}", file=sys.stderr)
    tqdm.write(f"{name}: licence: {plugin.CARD.licence}. Cite: {plugin.CARD.citation}", file=sys.stderr)
    before = _record(folder)
    if content_hash(folder)[0] == content and all(before.get(key) == record.get(key) for key in ("source", "content")):
        shutil.rmtree(partial)  # another archive with the same files: what depends on them stays valid
        return
    files.write_json(partial / "source.json", record)
    files.write_checksums(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
