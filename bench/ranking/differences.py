"""In what two scores differ: data, split, preparation, settings, seeds, libraries, hardware, program."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.formats.protocol import ADDED
from bench.formats.scores import Scores
from bench.ranking.results import EXTERNAL

SPLIT_SETTINGS = ("seed", "split", "test_share", "validation_share")
"""Settings of the section ``prepare`` that decide which items are in which split."""


@dataclass(frozen=True)
class Side:
    """One of the two scores: a model on a dataset.

    Attributes:
        name: as the user named it.
        scores: of one dataset and one model; one cell per seed.
    """

    name: str
    scores: Scores

    @property
    def dataset(self) -> str:
        """Id of the dataset."""
        return str(self.scores.card["dataset"])

    @property
    def model(self) -> str:
        """Id of the model."""
        return str(self.scores.cells[0]["model"])

    @property
    def seeds(self) -> list[int]:
        """The seeds, ascending."""
        return sorted(int(cell["seed"]) for cell in self.scores.cells)

    def recorded(self, section: str) -> dict[str, str]:
        """Return a section of the cells' records as dotted key -> value; seeds with other values are all named."""
        found: dict[str, list[str]] = {}
        for cell in self.scores.cells:
            for key, value in _flat(cell.get(section) or {}):
                found.setdefault(key, []).append(value)
        return {key: " | ".join(dict.fromkeys(values)) for key, values in found.items()}

    def setting(self, section: str) -> dict[str, str]:
        """Return the settings of ``prepare`` or ``train``; those added later have the value of before."""
        loss = {f"loss.{key}": str(value) for key, value in ADDED["loss"].items()} if section == "train" else {}
        added = {key: str(value) for key, value in ADDED[section].items()} | loss
        start = f"{section}."
        given = {k.removeprefix(start): v for k, v in self.recorded("settings").items() if k.startswith(start)}
        return added | given


@dataclass(frozen=True)
class Difference:
    """One thing in which two scores differ: its kind, its name, and what each records ("" for nothing)."""

    kind: str
    name: str
    a: str
    b: str

    def __str__(self) -> str:
        """Return kind and name, once if they are the same word."""
        return self.kind if self.kind == self.name else f"{self.kind}: {self.name}"


def differences(a: Side, b: Side) -> list[Difference]:
    """Return all recorded differences of two scores, what matters most first.

    The order is that of the pipeline: dataset and model, source files, split, preparation, settings of the training,
    seeds, evaluation, libraries, hardware, program. The content of the prepared data is compared only where nothing
    before differs, as it follows from it.
    """
    data = [*_ids(a, b), *_source(a, b), *_split(a, b), *_preparation(a, b)]
    data = data or list(_pixels(a, b))
    rest = [
        *_compared("settings", a.setting("train"), b.setting("train")),
        *_single("settings", "trained", _trained(a), _trained(b)),
        *_single("seeds", "seeds", _listed(a.seeds), _listed(b.seeds)),
        *_single("evaluation", "batch", *(_of_cells(side, "evaluation_batch") for side in (a, b))),
        *_compared("library", a.recorded("versions"), b.recorded("versions")),
        *_compared("hardware", a.recorded("hardware"), b.recorded("hardware")),
        *_compared("hardware", a.recorded("machine"), b.recorded("machine")),
        *_single("program", "program", *(_of_cells(side, "program") for side in (a, b))),
        *_compared("program", a.recorded("code"), b.recorded("code")),
    ]
    return [*data, *rest]


def _ids(a: Side, b: Side) -> Iterator[Difference]:
    yield from _single("dataset", "dataset", a.dataset, b.dataset)
    yield from _single("model", "model", a.model, b.model)


def _source(a: Side, b: Side) -> Iterator[Difference]:
    """Yield a difference of the source files; equal files may have come in another archive."""
    origins = [side.scores.card["origin"] for side in (a, b)]
    both = [key for key in ("content", "sha256") if all(key in origin for origin in origins)]
    if both and not any(origins[0][key] == origins[1][key] for key in both):
        yield Difference("data", "source files", *(f"{o['source']} {str(o[both[0]])[:12]}" for o in origins))
    elif not both:
        yield from _single("data", "source", *(str(origin.get("source")) for origin in origins))


def _split(a: Side, b: Side) -> Iterator[Difference]:
    """Yield differences of the split: its settings, the test images, and the number of the others."""
    settings = [{k: v for k, v in side.setting("prepare").items() if k in SPLIT_SETTINGS} for side in (a, b)]
    yield from _compared("split", *settings)
    items = [set(side.scores.images["item"]) for side in (a, b)]
    if items[0] != items[1]:
        shared = len(items[0] & items[1])
        yield Difference("split", "test images", *(f"{len(names)}, {shared} of them shared" for names in items))
    counts = [{k: str(v) for k, v in side.scores.card["counts"].items()} for side in (a, b)]
    yield from _compared("split", *({f"items, {k}": v for k, v in part.items()} for part in counts))


def _preparation(a: Side, b: Side) -> Iterator[Difference]:
    settings = [{k: v for k, v in side.setting("prepare").items() if k not in SPLIT_SETTINGS} for side in (a, b)]
    yield from _compared("preparation", *settings)


def _pixels(a: Side, b: Side) -> Iterator[Difference]:
    """Yield a difference of the prepared images and masks that no setting explains."""
    yield from _single("data", "prepared pixels", *(_of_cells(side, "data") for side in (a, b)))
    crack = [_crack_pixels(side) for side in (a, b)]
    changed = int((crack[0] != crack[1].reindex(crack[0].index)).sum())
    if changed:
        images = f"{changed} of {len(crack[0])} images"
        yield Difference("data", "true masks", *(f"{int(c.sum())} crack pixels, other ones in {images}" for c in crack))


def _crack_pixels(side: Side) -> "pd.Series[int]":
    images = side.scores.images
    return (images["tp"] + images["fn"]).groupby(images["item"]).first()


def _trained(side: Side) -> str:
    """Return whether the model was trained by the suite, or only its predictions were scored."""
    kinds = {cell.get("trained") == EXTERNAL for cell in side.scores.cells}
    return _listed(["predictions of another program" if kind else "by this suite" for kind in sorted(kinds)])


def _of_cells(side: Side, key: str) -> str:
    return _listed(sorted({str(cell[key]) for cell in side.scores.cells if key in cell}))


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))


def _single(kind: str, name: str, a: str, b: str) -> Iterator[Difference]:
    """Yield a difference if both record the value, and not the same."""
    if a != b and a and b:
        yield Difference(kind, name, a, b)


def _compared(kind: str, a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the keys with different values; keys that one side lacks last."""
    names = sorted({*a, *b}, key=lambda key: (key not in a or key not in b, key))
    for key in names:
        if a.get(key) != b.get(key):
            yield Difference(kind, key, a.get(key, ""), b.get(key, ""))


def _flat(section: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of nested settings in print by dotted key; equal numbers are printed equally.

    >>> list(_flat({"a": {"b": 4.0}, "c": None}))
    [('a.b', '4'), ('c', 'None')]
    """
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", _printed(value)


def _printed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_printed, value))}]"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
