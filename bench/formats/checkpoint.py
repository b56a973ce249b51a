"""A training checkpoint: tensors and JSON metadata in one safetensors file, whose name contains its checksum."""

import json
import math
import os
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import UserError

KINDS: dict[str, type] = {"identity": dict, "state": dict, "groups": list, "scheduler": dict, "scaler": dict}
"""Metadata of a checkpoint and their types. identity: of the training; state: ``STATE``; groups, scheduler, scaler:
of the optimiser. Newer files also have ``threads``: CPU threads when the training began."""

STATE: dict[str, type] = {
    "epoch": int, "step": int, "history": list, "best_epoch": int, "best_loss": float, "seconds": float, "items": int,
}  # fmt: skip


class Checkpoint(NamedTuple):
    """A checkpoint as read: its tensors and metadata, and the file they come from."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]
    path: Path


def save(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], progress: int) -> None:
    """Write ``<progress>-<CRC-32>.safetensors`` atomically, then remove older checkpoints.

    Args:
        folder: used by this training alone.
        tensors: contiguous, none sharing memory with another.
        facts: metadata as JSON, ``KINDS``.
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


def load(folder: Path, identity: Mapping[str, Any]) -> Checkpoint | None:
    """Return the newest valid checkpoint, or None if there is none.

    A damaged checkpoint is reported on stderr and removed.

    Raises:
        UserError: the checkpoint belongs to another training, or is not a checkpoint of this suite; it is kept.
    """
    for path in sorted(folder.glob("*.safetensors"), reverse=True):
        if _crc32(path) != path.stem.partition("-")[2]:
            print(f"{path} is damaged (its checksum differs from its name): removed.", file=sys.stderr)
            path.unlink()
            continue
        found = _read(path)
        own = found.facts["identity"]
        differing = sorted(k for k in {*own, *identity} if own.get(k) != identity.get(k))
        if differing:
            raise UserError(
                f"{path} belongs to another training: {', '.join(differing)} differ. Delete {folder} to start again, "
                "or restore the data, settings and code it was made with."
            )
        return found
    return None


def foreign(path: Path, reason: object) -> UserError:
    """Return the error for a file whose content is not that of a checkpoint, although its checksum is right."""
    text = " ".join(str(reason).split())[:200]
    return UserError(f"{path} is not a checkpoint of this suite ({text}): delete {path.parent}.")


def _read(path: Path) -> Checkpoint:
    """Return the content of an undamaged file.

    Raises:
        UserError: it was not written by ``save``.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            _require_facts(facts)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            return Checkpoint(tensors, facts, path)
    except KeyError as error:
        raise foreign(path, f"it lacks {error}") from None
    except (SafetensorError, TypeError, ValueError, RecursionError) as error:
        raise foreign(path, error) from None


def _require_facts(facts: Any) -> None:
    """Refuse metadata of other types, or numbers of a training that cannot be.

    Raises:
        KeyError, TypeError, ValueError: what is missing or wrong.
    """
    _require_kinds(facts, KINDS, "its metadata")
    _require_kinds(state := facts["state"], STATE, "its state")
    for row in [*state["history"], *facts["groups"]]:
        _require_kinds(row, {}, "a row of its history or groups")
    if type(facts.get("threads", 1)) is not int or facts.get("threads", 1) < 1:
        raise ValueError(f"its threads are {facts['threads']!r}")
    done = len(state["history"])
    if state["epoch"] != done + 1 or not 0 <= state["best_epoch"] <= done or min(state["step"], state["items"]) < 0:
        raise ValueError(f"its numbers of epochs, steps and items contradict each other: {_numbers(state)}")
    if math.isnan(state["best_loss"]) or not 0 <= state["seconds"] < math.inf:
        raise ValueError(f"a loss is NaN, or a time is negative or infinite: {_numbers(state)}")


def _numbers(state: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in state.items() if name != "history")


def _require_kinds(mapping: Any, kinds: Mapping[str, type], name: str) -> None:
    """Refuse what is no JSON object with values of these types; a whole number is a float too, true is neither."""
    if not isinstance(mapping, dict):
        raise TypeError(f"{name} is {type(mapping).__name__}, not a JSON object")
    for key, kind in kinds.items():
        if not isinstance(mapping[key], (int, float) if kind is float else kind) or isinstance(mapping[key], bool):
            raise TypeError(f"{key} in {name} is {mapping[key]!r}, not of type {kind.__name__}")


def _crc32(path: Path) -> str:
    """Return the CRC-32 of a file, 8 hexadecimal digits; fast, and enough to detect truncation and flipped bits."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(2**22):
            crc = zlib.crc32(chunk, crc)
    return f"{crc:08x}"
