"""Read a results folder into the frames that rankings, tables and figures are computed from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.formats import class_scores, cost, scores, transfer
from bench.paper import TABLES, published
from bench.ranking.derived import with_derived
from bench.ranking.protocol_name import with_name
from bench.ranking.summary import summarise
from bench.settings import track_version

EXTERNAL = "external"
"""Folder in the results where `bench score` writes, external/<model>/<dataset>; also ``trained`` of its cells."""
ENTERED = "entered"
"""``trained`` of cells in that folder that `bench enter` trained, on some machine, by the protocol of the others."""

BASELINES = "baselines"
"""Folder in the results where `bench baselines` writes; a results folder itself, of external models only."""
UNTRAINED = "not trained"
"""``trained`` of cells in that folder: detectors without training, shown below a ranking and never ranked."""

SAMPLE_WARNING = "SAMPLE: synthetic data, made to try the pipeline. Not a result."


@dataclass(frozen=True)
class Results:
    """The contents of a results folder.

    Attributes:
        datasets: ids in the order of params.yaml.
        models: ids likewise, then the external ones.
        names: display names of datasets and models, by id.
        summary: one row per cell, metric and average: dataset, model, seed, metric, average, value.
        images: per-image counts of all datasets, ``scores.IMAGES``.
        curves: counts by threshold of each cell, ``scores.CURVES``.
        histograms: pixels of each image by probability level, in the row order of ``images``, (N, 2, 256).
        history: training curves of all datasets, ``scores.HISTORY``.
        cells: run.json of each cell.
        cards: card.json of each prepared dataset, by id.
        costs: cost of each measured model, by id.
        missing: names of missing results: "<dataset>/<model>/<seed>", "cost of <model>", "any score of <model> on
            these datasets".
        published: the paper's tables.
        transfers: results on the other datasets, by training dataset; empty if the stage did not run.
        classes: ``class_scores.COLUMNS``; rows for datasets of several classes only.
        baselines: scores of detectors without training on these datasets; None if there are none.
        failed: name of a missing cell -> why its training failed, where that is recorded.
        track_version: version of the open track whose results these are; None for all other results.
    """

    datasets: list[str]
    models: list[str]
    names: dict[str, str]
    summary: pd.DataFrame
    images: pd.DataFrame
    curves: pd.DataFrame
    histograms: npt.NDArray[np.uint32]
    history: pd.DataFrame
    cells: list[dict[str, Any]]
    cards: dict[str, dict[str, Any]]
    costs: dict[str, dict[str, Any]]
    missing: list[str]
    published: dict[str, pd.DataFrame]
    transfers: dict[str, transfer.Transfer] = field(default_factory=dict)
    classes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=class_scores.COLUMNS))
    baselines: "Results | None" = None
    failed: dict[str, str] = field(default_factory=dict)
    track_version: int | None = None

    @property
    def is_sample(self) -> bool:
        """Whether any number comes from synthetic data."""
        return any(card["origin"]["source"] == "sample" for card in self.cards.values())

    def trained(self, model: str) -> str:
        """Return where a model was trained: "here", or "external" if only its predictions were scored."""
        return next((c["trained"] for c in self.cells if c["model"] == model and "trained" in c), "here")

    def spelled(self, average: str) -> str:
        """Return an average in words, for a caption; "batch mean of 32" if the cells record the batch size."""
        size = f" of {self.batch}" if average == "batch_mean" and self.batch else ""
        return average.replace("_", " ") + size

    @property
    def batch(self) -> str:
        """Size or sizes of the evaluation batches; empty if no cell records one."""
        sizes = {c["evaluation_batch"] for c in self.cells if "evaluation_batch" in c}
        return ", ".join(map(str, sorted(sizes)))


def read(
    folder: Path,
    datasets: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int],
    external: Sequence[str] = (),
    mixed: bool = False,
) -> Results:
    """Return the results of the declared cells; missing ones are listed, those no longer declared are left out.

    Args:
        folder: the results.
        datasets: ids of the declared datasets.
        models: ids of the declared models.
        seeds: the declared seeds.
        external: models scored by ``bench score``; all their cells are read, whatever protocol they declare: the
            ranking keeps protocols apart.
        mixed: allow declared cells of different protocols; used by `bench check`, which reports mixed protocols.

    Raises:
        UserError: the folder is empty, a file is damaged, or the cells follow different protocols.
    """
    scored = {d: scores.read(folder / "scores" / d) for d in datasets if (folder / "scores" / d).is_dir()}
    costs = {m: cost.read(path) for m in models if (path := folder / "cost" / f"{m}.json").is_file()}
    external_scores = list(_external(folder, datasets, external))
    if not scored and not costs and not external_scores:
        raise UserError(f"{folder} holds neither scores nor costs: run `dvc repro` first.")
    parts = [_declared(part, models, seeds) for part in scored.values()]
    if not mixed:
        _require_one_protocol([cell for part in parts for cell in part.cells], folder)
    parts += external_scores
    cells = [cell for part in parts for cell in part.cells]
    with_scores = {c["model"] for c in cells}
    frames = {kind: _concat([getattr(part, kind) for part in parts], cols) for kind, (cols, _) in scores.TABLES.items()}
    histograms = np.concatenate([np.zeros((0, 2, 256), np.uint32), *(part.histograms for part in parts)])
    frames["images"], frames["curves"] = with_derived(frames["images"], frames["curves"], histograms)
    return Results(
        datasets=list(datasets), models=[*models, *(m for m in external if m in with_scores)],
        names=_names(datasets, models, cells),
        summary=summarise(frames["images"], frames["curves"], frames.pop("batches")), **frames,
        histograms=histograms, cells=cells,
        cards={part.card["dataset"]: part.card for part in [*external_scores, *scored.values()]},
        costs=costs, missing=_missing(datasets, models, seeds, external, cells, costs),
        published={name: published(name) for name in TABLES},
        transfers=_transfers(folder, datasets, models, seeds),
        classes=_concat([part.classes for part in parts], class_scores.COLUMNS),
        baselines=_baselines(folder / BASELINES, datasets),
        failed=_failed([*scored.values(), *external_scores], cells),
        track_version=track_version(folder / "params.yaml"),
    )  # fmt: skip


def _baselines(folder: Path, datasets: Sequence[str]) -> Results | None:
    """Return the scores of detectors without training on these datasets."""
    detectors = external_models(folder)
    is_scored = any((folder / EXTERNAL / m / d).is_dir() for m in detectors for d in datasets)
    return read(folder, datasets, [], [], detectors) if is_scored else None


def _transfers(
    folder: Path, datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int]
) -> dict[str, transfer.Transfer]:
    """Return the results of the stage transfer, of the declared models and seeds."""
    found = {d: transfer.read(path) for d in datasets if (path := folder / "transfer" / d).is_dir()}
    return {d: transfer.only(part, models, seeds) for d, part in found.items()}


def _names(datasets: Sequence[str], models: Sequence[str], cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the display names of datasets and models; the cells record that of a model with scores."""
    recorded = {c["model"]: c["model_name"] for c in cells}
    names = {d: plugins.load("datasets", d).CARD.name for d in datasets}
    return names | {m: plugins.load("models", m).NAME for m in models if m not in recorded} | recorded


def _missing(
    datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int], external: Sequence[str],
    cells: Sequence[Mapping[str, Any]], costs: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    """Return the names of what is missing, as in ``Results.missing``."""
    done = {(c["dataset"], c["model"], c["seed"]) for c in cells}
    with_scores = {c["model"] for c in cells}
    return [
        *(f"{d}/{m}/{s}" for d in datasets for m in models for s in seeds if (d, m, s) not in done),
        *(f"cost of {m}" for m in models if m not in costs),
        *(f"any score of {m} on these datasets" for m in external if m not in with_scores),
    ]


def _failed(parts: Sequence[scores.Scores], cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return why the training of cells without scores failed, by name."""
    done = {f"{c['dataset']}/{c['model']}/{c['seed']}" for c in cells}
    found = {f"{c['dataset']}/{c['model']}/{c['seed']}": c["failed"] for p in parts for c in p.missing if "failed" in c}
    return {name: why for name, why in found.items() if name not in done}


def external_models(folder: Path) -> list[str]:
    """Return the sorted names of the external models: those scored by `bench score`."""
    return sorted(p.name for p in (folder / EXTERNAL).glob("*") if p.is_dir())


def _external(folder: Path, datasets: Sequence[str], models: Sequence[str]) -> Iterator[scores.Scores]:
    """Yield the scores of external models, for each dataset on which they were scored."""
    for path in (folder / EXTERNAL / model / dataset for model in models for dataset in datasets):
        if path.is_dir():
            part = scores.read(path)
            # files written by older versions say trained: elsewhere
            cells = [c | {"trained": EXTERNAL} if c.get("trained") == "elsewhere" else c for c in part.cells]
            yield replace(part, cells=cells)


def _declared(part: scores.Scores, models: Sequence[str], seeds: Sequence[int]) -> scores.Scores:
    """Return the cells and rows of the declared models and seeds."""

    def is_declared(frame: pd.DataFrame) -> Any:
        return frame["model"].isin(models) & frame["seed"].isin(seeds)

    frames = {kind: (f := getattr(part, kind))[is_declared(f)] for kind in (*scores.TABLES, "classes")}
    assert part.histograms is not None
    histograms = part.histograms[is_declared(part.images).to_numpy(bool)]
    cells = [c for c in part.cells if c["model"] in models and c["seed"] in seeds]
    return replace(part, **frames, cells=cells, histograms=histograms)


def _concat(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return tables as one; empty tables are dropped, so they do not change dtypes."""
    nonempty = [frame for frame in frames if len(frame)]
    return pd.concat(nonempty, ignore_index=True) if nonempty else pd.DataFrame(columns=columns)


def _require_one_protocol(cells: list[dict[str, Any]], folder: Path) -> None:
    """Raise a UserError if the cells follow different protocols."""
    by_protocol: dict[str, list[str]] = {}
    for cell in cells:
        by_protocol.setdefault(cell["protocol"], []).append(f"{cell['dataset']}/{cell['model']}/{cell['seed']}")
    if len(by_protocol) > 1:
        groups = "; ".join(
            f"{with_name(key)}: {', '.join(names[:3])} ({len(names)} cells)" for key, names in by_protocol.items()
        )
        raise UserError(
            f"{folder} mixes {len(by_protocol)} protocols, which are never ranked together: {groups}. "
            "Run `dvc repro` so that all cells follow params.yaml."
        )
