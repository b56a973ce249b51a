"""A checkpoint of a training: tensors and facts in one safetensors file whose name carries its checksum."""

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
    """Write a checkpoint whole, then remove older ones; named ``<progress>-<CRC-32>.safetensors``.

    Args:
        folder: one training's own.
        tensors: contiguous, no two sharing memory.
        facts: whatever JSON holds; ``identity`` says which training this is.
        progress: a number that grows with the training.
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
            f"the checkpoint cannot be written to {folder} ({error}): free space there and run again; "
            "the training goes on from the checkpoint before."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    for old in set(folder.glob("*.safetensors")) - {path}:
        old.unlink()


def load(folder: Path, identity: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and facts of the newest whole checkpoint, or None where there is none.

    A torn one is named on stderr and removed: nothing in it can be trusted.

    Raises:
        UserError: the checkpoint belongs to another training or to something else; it is left alone.
    """
    for path in sorted(folder.glob("*.safetensors"), reverse=True):
        if _crc32(path) != path.stem.partition("-")[2]:
            print(f"{path} is torn (its checksum differs from its name): removed.", file=sys.stderr)
            path.unlink()
            continue
        tensors, facts = _read(path)
        differing = sorted(k for k in {*facts["identity"], *identity} if facts["identity"].get(k) != identity.get(k))
        if differing:
            raise UserError(
                f"{path} is of another training: its {', '.join(differing)} differ from now. "
                f"Delete {folder} to start afresh, or go back to what it was made with."
            )
        return tensors, facts
    return None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and facts of a whole file.

    Raises:
        UserError: it was not written by ``save``.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            if not isinstance(facts["identity"], dict):
                raise TypeError("its identity is no object")
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 (no mapping)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is no checkpoint of this suite ({error}): delete {path.parent}.") from None


def _crc32(path: Path) -> str:
    """Return the CRC-32 of a file as 8 hexadecimal digits; enough against tears and flipped bits, and fast."""
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(2**22):
            crc = zlib.crc32(piece, crc)
    return f"{crc:08x}"
