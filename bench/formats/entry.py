"""The record of an entry into the open track: entry.json in external/<model>/, and whether it still fits the scores."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.formats import files

NAME = "entry.json"

KINDS: dict[str, files.Kind] = {
    "model": str, "trained": str, "params_sha256": str, "versions": dict, "code": dict, "scores": dict,
}  # fmt: skip
"""Required key -> type. trained: as in the cells; params_sha256: of the track's params.yaml; scores: dataset -> SHA-256
of its list of checksums. Also, where known: lock_sha256 of requirements.lock, source_sha256 of what was entered."""


def write(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the record of the scores in a folder; call it after them.

    Args:
        folder: external/<model>, with a folder of scores for each dataset.
        facts: ``KINDS`` without scores.
    """
    sums = {path.parent.name: files.sha256(path) for path in sorted(folder.glob(f"*/{files.SUMS}"))}
    files.write_json(folder / NAME, {**facts, "scores": sums})


def faults(folder: Path, params: Path) -> Iterator[str]:
    """Yield in what a record does not fit the scores beside it or the track's settings.

    Args:
        folder: external/<model>.
        params: params.yaml of the track.

    Raises:
        UserError: the record is damaged or lacks a key.
    """
    if not (folder / NAME).is_file():
        yield f"{folder / NAME} is missing: enter the model by `bench enter`."
        return
    record = files.read_object(folder / NAME, KINDS, "enter the model again (`bench enter`)")
    if record["model"] != folder.name:
        yield f"{folder / NAME} is of {record['model']}, not of {folder.name}."
    if record["params_sha256"] != files.sha256(params):
        yield f"{folder.name} was entered with another {params.name} than {params}: enter it again."
    present = {path.parent.name: files.sha256(path) for path in folder.glob(f"*/{files.SUMS}")}
    for dataset in sorted({*present, *record["scores"]}):
        if present.get(dataset) != record["scores"].get(dataset):
            yield f"{folder / dataset}: the scores are not those that `bench enter` wrote: enter the model again."
