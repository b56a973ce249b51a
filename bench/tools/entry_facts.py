"""What an entry into the open track records of its origin: settings, lock, code, libraries, hardware, source."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench
from bench.formats import files
from bench.training.device import pick_device
from bench.training.provenance import commit, describe_hardware, versions


def entry_facts(model: str, trained: str, seeds: Sequence[int], params: Path, source: Path | None) -> dict[str, Any]:
    """Return the facts of an entry, as `bench.formats.entry.write` takes them.

    Args:
        model: id.
        trained: "entered" or "external".
        seeds: that were entered last.
        params: params.yaml of the track.
        source: file or folder that was entered; None: the model was trained.
    """
    lock = Path(bench.__file__).parents[1] / "requirements.lock"
    return {
        "model": model, "trained": trained, "seeds": sorted(seeds), "params_sha256": files.sha256(params),
        "lock_sha256": files.sha256(lock) if lock.is_file() else None,
        "source_sha256": None if source is None else source_sha256(source),
        "code": commit(), "versions": versions(), "hardware": describe_hardware(pick_device("auto")),
    }  # fmt: skip


def source_sha256(source: Path) -> str:
    """Return the SHA-256 of a file, or a digest of the names and checksums of a folder's files."""
    if source.is_file():
        return files.sha256(source)
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    return files.digest({path.relative_to(source).as_posix(): files.sha256(path) for path in paths})
