"""A training checkpoint: tensors and JSON metadata in one safetensors file, whose name contains its checksum."""

import json
import os
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import UserError


def save(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], progress: int) -> None:
    """Write ``<progress>-<CRC-32>.safetensors`` atomically, then remove older checkpoints.

    Args:
        folder: used by this training alone.
        tensors: contiguous, none sharing memory with another.
        facts: metadata as JSON; ``identity`` identifies the training.
        progress: a number that increases during the training.

    Raises:
        UserError: the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".writing"
    try:
        save_file(dict(tensors), temporary, {"facts": json.dumps(facts)})
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        path = temporary.rename(folder / f"{progress:012d}-{_crc32(temporary)}.safetensors")
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"the checkpoint cannot be written to {folder} ({error}): free disk space and run again; "
            "the training resumes from the previous checkpoint."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    for old in set(folder.glob("*.safetensors")) - {path}:
        old.unlink()


def load(folder: Path, identity: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and metadata of the newest valid checkpoint, or None if there is none.

    A damaged checkpoint is reported on stderr and removed.

    Raises:
        UserError: the checkpoint belongs to another training, or is not a checkpoint of this suite; it is kept.
    """
    for path in sorted(folder.glob("*.safetensors"), reverse=True):
        if _crc32(path) != path.stem.partition("-")[2]:
            print(f"{path} is damaged (its checksum differs from its name): removed.", file=sys.stderr)
            path.unlink()
            continue
        tensors, facts = _read(path)
        differing = sorted(k for k in {*facts["identity"], *identity} if facts["identity"].get(k) != identity.get(k))
        if differing:
            raise UserError(
                f"{path} belongs to another training: {', '.join(differing)} differ. Delete {folder} to start again, "
                "or restore the data, settings and code it was made with."
            )
        return tensors, facts
    return None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and metadata of an undamaged file.

    Raises:
        UserError: it was not written by ``save``.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            if not isinstance(facts["identity"], dict):
                raise TypeError("its identity is not a JSON object")
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 (not a mapping)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a checkpoint of this suite ({error}): delete {path.parent}.") from None


def _crc32(path: Path) -> str:
    """Return the CRC-32 of a file, 8 hexadecimal digits; fast, and enough to detect truncation and flipped bits."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(2**22):
            crc = zlib.crc32(chunk, crc)
    return f"{crc:08x}"
