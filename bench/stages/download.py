"""Download: sources -> downloads/<dataset>/{images,masks,source.json,deviations.txt}."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from bench import plugins
from bench.data.collection import COLLECTION
from bench.data.dataset import Archive
from bench.data.downloaded import NETWORK, PARTIAL, is_filled, read_record, replace
from bench.data.fetch import check, fetch
from bench.data.own_folder import from_folder
from bench.data.pinned import PINNED, pinned_files, pinned_origin
from bench.data.pinned_fetch import PinnedFetcher
from bench.data.pinned_local import LocalFiles, pinned_from_path
from bench.data.sources import NotHeldError, Origin, content_hash, from_path
from bench.errors import UserError
from bench.formats import files
from bench.sample.generate import generate


@dataclass(frozen=True)
class Sample:
    """Size of the embedded synthetic datasets: pairs per dataset, side in px, seed."""

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
        source: "collection" (the merged archive, downloaded), "originals" (as each dataset's authors publish it),
            "pinned" (file by file, at a pinned commit), "sample" (embedded, synthetic), or the path of an archive or
            folder on disk that holds any of the first three.
        mirrors: additional links to the merged archive, or with "pinned" addresses of copies of
            raw.githubusercontent.com, tried before the public ones.
        sample: size of the embedded datasets.
    """

    source: str
    mirrors: list[str]
    sample: Sample

    def __post_init__(self) -> None:
        """Refuse an empty source, which would be the current folder."""
        if not self.source.strip():
            raise ValueError("source is empty: write collection, originals, pinned, sample, or a path")


def run(
    target: Path,
    datasets: Sequence[str],
    archives: Path,
    settings: DownloadSettings,
    local: Path | None = None,
    pulled: Path | None = None,
) -> list[str]:
    """Fill ``target/<dataset>`` for each dataset; one already filled from the same source is kept.

    A source that fails does not affect the other datasets.

    Args:
        target: the folder of downloads.
        datasets: ids of the datasets wanted; others that were downloaded before are removed.
        archives: where downloaded archives are kept; archives that a user puts there are used.
        settings: the section ``download`` of params.yaml.
        local: an archive or folder to use instead of the settings' source; a dataset that it does not contain is kept.
        pulled: folder of datasets that DVC may have pulled already; they are copied instead of fetched.

    Returns:
        One message for each dataset that is missing.

    Raises:
        UserError: all datasets are missing.
    """
    if local is None:
        _remove_unlisted(target, datasets)
    sources = _Sources(archives, settings, local)
    failures: dict[str, UserError] = {}
    for name in tqdm(datasets, desc="download", unit="dataset"):
        try:
            _update(name, target / name, sources, pulled)
        except UserError as error:
            failures[name] = error
    if local is not None:
        failures = _without_kept(failures, target, datasets)
    if len(failures) == len(datasets):
        raise UserError("\n".join(dict.fromkeys(str(error) for error in failures.values())))
    return [f"{name} is missing: {error}" for name, error in failures.items()]


def _remove_unlisted(target: Path, datasets: Sequence[str]) -> None:
    """Remove the downloads of other datasets, and folders left by an interrupted run."""
    for folder in target.glob("*/"):
        if folder.name not in datasets and ((folder / "source.json").is_file() or folder.suffix == PARTIAL):
            shutil.rmtree(folder)


def _update(name: str, folder: Path, sources: "_Sources", pulled: Path | None) -> None:
    """Fill the folder of a dataset unless it is up to date.

    A download is up to date if it came from the same kind of source, and from the same commit where that is pinned, so
    that nothing is fetched to find out. Other sources are opened, because their files may have changed.
    """
    if sources.keyword in (*NETWORK, PINNED) and _own_folder(name) is None:
        wanted = sources.origin(name).facts if sources.keyword == PINNED else {"source": sources.keyword}
        if pulled is not None and not is_filled(folder, wanted) and is_filled(pulled / name, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(pulled / name, folder)
        if is_filled(folder, wanted):
            return
    origin = sources.origin(name)
    if not is_filled(folder, origin.facts):
        replace(name, folder, origin)


def _without_kept(failures: dict[str, UserError], target: Path, datasets: Sequence[str]) -> dict[str, UserError]:
    """Return the failures without the datasets that a local source lacks but that were downloaded before.

    They all stay if the local source contains none of the datasets: it is then the wrong one.
    """
    if all(_own_folder(name) is not None for name in {*datasets} - {*failures}):
        return failures
    return {
        name: error
        for name, error in failures.items()
        if not (isinstance(error, NotHeldError) and is_filled(target / name, {}))
    }


def status(target: Path, datasets: Sequence[str]) -> pd.DataFrame:
    """Return the download of each dataset: source, files, bytes, state, licence.

    The state is "verified" if no byte changed since it was written and the files agree with the collection's index.
    """
    rows = []
    for name in tqdm(datasets, desc="verify", unit="dataset"):
        card = plugins.load("datasets", name).CARD
        record = read_record(target / name)
        content, count, size = content_hash(target / name)
        if not record:
            state = "missing: run `bench download`"
        elif content != record.get("content"):
            state = f"changed since it was written ({count} files, {record['files']} written): download it again"
        elif record.get("deviations"):
            state = f"deviates from the index in {record['deviations']} places: see {target / name / 'deviations.txt'}"
        else:
            state = "verified"
        rows.append([name, record.get("source", ""), count, size, state, card.licence])
    return pd.DataFrame(rows, columns=["dataset", "source", "files", "bytes", "state", "licence"])


def _own_folder(name: str) -> str | None:
    """Return the folder of a user's own dataset, None for the others."""
    folder: str | None = getattr(plugins.load("datasets", name), "FOLDER", None)
    return folder


class _Sources:
    """The origin of each dataset; an archive is fetched and hashed once, its failure is raised for each dataset."""

    def __init__(self, archives: Path, settings: DownloadSettings, local: Path | None) -> None:
        self.archives, self.settings = archives, settings
        self.keyword = settings.source if local is None and settings.source in (*NETWORK, PINNED, "sample") else None
        self.path = local or Path(settings.source)
        self.fetcher = PinnedFetcher(archives / "files", settings.mirrors if self.keyword == PINNED else [])
        self._fetched: dict[str, tuple[Path, str] | UserError] = {}
        self._sha256 = cache(files.sha256)
        self._local = cache(lambda: LocalFiles(self.path))

    def origin(self, name: str) -> Origin:
        """Return the origin of a dataset.

        Raises:
            UserError: its archive cannot be fetched, is damaged, refused or contains something else.
        """
        plugin = plugins.load("datasets", name)
        if _own_folder(name) is not None:
            return from_folder(plugin)
        if self.keyword == PINNED:
            return self._pinned(name)
        if self.keyword == "sample":
            if hasattr(plugin, "PINNED"):
                raise UserError(f"the sample has no dataset {name!r}: set download.source to 'pinned', or drop it.")
            sample = self.settings.sample
            facts = {"source": "sample", **asdict(sample)}
            return Origin(facts, lambda folder: generate(name, folder, sample.seed, sample.images, sample.size))
        if self.keyword:
            path, sha256 = self._archive(name, plugin.ORIGINAL)
        else:
            path, sha256 = self.path, None
            if not path.exists():
                raise UserError(
                    f"download.source = {str(path)!r} is neither 'collection', 'originals', 'pinned', 'sample' "
                    "nor an archive or folder on disk: correct the setting in params.yaml."
                )
            if hasattr(plugin, "PINNED"):
                return pinned_from_path(name, self._local())
            if path.is_file():
                sha256 = self._sha256(path)
        return from_path(name, path, sha256)

    def _pinned(self, name: str) -> Origin:
        """Return the origin of a dataset whose files are fetched one by one when they are needed."""
        wanted = pinned_files(name)
        origin = pinned_origin(name, self.fetcher.read)

        def fill(folder: Path) -> None:
            self.fetcher.fetch(wanted)
            origin.fill(folder)

        return Origin(origin.facts, fill)

    def _archive(self, name: str, original: Archive | None) -> tuple[Path, str]:
        wanted = COLLECTION if self.keyword == "collection" else original
        if hasattr(plugins.load("datasets", name), "PINNED"):
            raise UserError(
                f"dataset {name!r} is public file by file only: set download.source to 'pinned' in params.yaml."
            )
        if wanted is None:
            raise UserError(
                f"dataset {name!r} has no archive from its authors: set download.source to 'collection' or to the path "
                f"of the merged archive ({COLLECTION.page}), or drop it from `datasets`."
            )
        if wanted.file not in self._fetched:
            mirrors = self.settings.mirrors if wanted is COLLECTION else []
            try:
                path = fetch(wanted, mirrors, self.archives)
                self._fetched[wanted.file] = path, check(path, self.archives)
            except UserError as error:
                self._fetched[wanted.file] = error
        fetched = self._fetched[wanted.file]
        if isinstance(fetched, UserError):
            raise fetched
        return fetched
