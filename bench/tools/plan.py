"""Estimate the cost of the remaining training from measured throughput: cells, images, hours, disk, memory."""

import heapq
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import plugins
from bench.errors import UserError
from bench.formats import cost
from bench.settings import name_list, seed_list
from bench.sweep import cells
from bench.sweep.estimate import Throughput, throughput, train_items

REQUIRED = {"prepare": ("image_size", "test_share", "validation_share"), "train": ("encoder", "epochs")}
"""Sections of params.yaml -> the settings that an estimate needs."""


@dataclass(frozen=True)
class Planned:
    """A cell that is left to train.

    Attributes:
        name: such as "cfd/unet/0".
        images: training images times epochs; early stopping may need fewer.
        seconds: duration; None if the model's speed is unknown.
        disk_mb: size of its run, MiB; None if unknown.
    """

    name: str
    images: int
    seconds: float | None
    disk_mb: float | None


def plan(root: Path, params: Mapping[str, Any], gpus: Sequence[int], memory: bool = True) -> str:
    """Return the cost of the remaining training in words.

    Args:
        root: the project.
        params: all of params.yaml.
        gpus: numbers of GPUs, or of slots, to estimate the duration for.
        memory: whether to compute the memory of each model too, which takes seconds per model.

    Raises:
        UserError: a list in params.yaml is wrong, or a setting is missing.
    """
    _require(params)
    speeds = throughput(root, params["prepare"]["image_size"], params["train"]["encoder"])
    planned = _planned(root, params, speeds.images_per_s)
    if not planned:
        return "Nothing is left to train."
    disk = [p.disk_mb for p in planned if p.disk_mb is not None]
    lines = [
        f"cells left       {len(planned)}",
        f"training images  {sum(p.images for p in planned):,}, counting every epoch",
        f"disk             {sum(disk) / 1024:.1f} GB for {len(disk)} of the cells",
        *_hours(planned, speeds, gpus),
    ]
    return "\n".join([*lines, *(_memory(root, params, planned) if memory else [])])


def _hours(planned: Sequence[Planned], speeds: Throughput, gpus: Sequence[int]) -> list[str]:
    """Return lines about the duration."""
    known = [p.seconds for p in planned if p.seconds is not None]
    if not known:
        hint = "train a few cells first, for instance `bench sweep cfd/unet/0`, then run `bench plan` again"
        return [f"hours            unknown, no finished run with this image size and encoder: {hint}"]
    lines = [f"hours            {sum(known) / 3600:,.2f} on one {speeds.hardware}"]
    without = Counter(p.name.split("/")[1] for p in planned if p.seconds is None)
    if without:
        lines.append(f"not counted      {without.total()} cells of {', '.join(without)}: speed unknown")
    scaled = sorted({p.name.split("/")[1] for p in planned if p.seconds} - speeds.measured)
    if scaled:
        lines.append(f"estimated from multiply-adds, not measured: {', '.join(scaled)}")
    for count in gpus:
        span, bound = makespan(known, count), max(sum(known) / count, max(known))
        lines.append(
            f"on {count:>4} of them  {span / 3600:,.2f} hours; no schedule needs less than {bound / 3600:,.2f}"
        )
    return lines


def _memory(root: Path, params: Mapping[str, Any], planned: Sequence[Planned]) -> list[str]:
    """Return lines about the memory of the cells that are left."""
    try:
        from bench.tools import plan_memory
    except ModuleNotFoundError as error:
        return [f"memory           unknown, {error}: `pip install '.[train]'` in the clone of CrackBench"]
    datasets = {p.name.split("/")[0] for p in planned}
    models = list(dict.fromkeys(p.name.split("/")[1] for p in planned))
    kept = max(plan_memory.kept_items(root / "prepared" / name, name, params) for name in datasets)
    return plan_memory.memory_lines(params, models, kept)


def commands(root: Path, params: Mapping[str, Any]) -> str:
    """Return one shell line per remaining cell; afterwards `bench sweep --collect` records them.

    Raises:
        UserError: as ``plan``.
    """
    _require(params)
    lines = [
        f"cd {shlex.quote(str(root))} && bench sweep --no-record --jobs 1 {p.name}" for p in _planned(root, params, {})
    ]
    return "\n".join(lines)


def makespan(seconds: Sequence[float], slots: int) -> float:
    """Return how long tasks take on equal slots, longest first, each on the first free slot.

    **Source:** Graham (1969), DOI 10.1137/0117039.

    >>> makespan([3, 3, 2, 2, 2], 2)
    7.0
    """
    free = [0.0] * slots
    for duration in sorted(seconds, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + duration)
    return max(free)


def _require(params: Mapping[str, Any]) -> None:
    """Raise a UserError if params.yaml lacks a setting of ``REQUIRED``; the stages check the others."""
    for section, keys in REQUIRED.items():
        for key in keys:
            if not isinstance(params.get(section), Mapping) or key not in params[section]:
                raise UserError(f"params.yaml: the key '{section}.{key}' is missing: restore it from git.")


def _planned(root: Path, params: Mapping[str, Any], images_per_s: Mapping[str, float]) -> list[Planned]:
    """Return the remaining cells: the declared ones that DVC considers stale."""
    datasets = name_list(params, "datasets", plugins.names("datasets"))
    models = name_list(params, "models", plugins.names("models"))
    items = {d: _train_items(root, d, params["prepare"]) for d in datasets}
    sizes = {m: _disk_mb(root, m) for m in models}
    outdated = cells.outdated_names(root, "train")
    planned = []
    for d, m, s in ((d, m, s) for d in datasets for m in models for s in seed_list(params)):
        if f"train@{d}-{m}-{s}" in outdated:
            images = items[d] * params["train"]["epochs"]
            seconds = images / images_per_s[m] if m in images_per_s else None
            planned.append(Planned(f"{d}/{m}/{s}", images, seconds, sizes[m]))
    return planned


def _train_items(root: Path, dataset: str, prepare: Mapping[str, Any]) -> int:
    """Return the number of training images: as prepared, or estimated from the dataset's card."""
    prepared = train_items(root / "prepared" / dataset)
    if prepared is not None:
        return prepared
    share: float = (1 - prepare["test_share"]) * (1 - prepare["validation_share"])
    images: int = plugins.load("datasets", dataset).CARD.images
    return round(images * share)


def _disk_mb(root: Path, model: str) -> float | None:
    """Return the size of a run, MiB: the mean of existing runs, or of the weights alone, 4 bytes per parameter."""
    runs = [p.parent for p in root.glob(f"runs/*/{model}/*/run.json")]
    if runs:
        total = sum(f.stat().st_size for run in runs for f in run.rglob("*") if f.is_file())
        return total / len(runs) / 2**20
    path = root / "results" / "cost" / f"{model}.json"
    return float(cost.read(path)["parameters"]) * 4 / 2**20 if path.is_file() else None
