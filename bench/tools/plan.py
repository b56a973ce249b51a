"""Say what is left to train costs, before anyone starts it: cells, images, hours, disk, from measured throughput."""

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
from bench.sweep.estimate import throughput, train_items

NEEDED = {"prepare": ("image_size", "test_share", "validation_share"), "train": ("encoder", "epochs")}
"""Settings that a plan is made of."""


@dataclass(frozen=True)
class Planned:
    """One cell.

    Attributes:
        name: such as "cfd/unet/0".
        images: training images times epochs; early stopping may end sooner.
        seconds: None where the model's speed is not known.
        disk_mb: of its run, or None.
    """

    name: str
    images: int
    seconds: float | None
    disk_mb: float | None


def plan(root: Path, params: Mapping[str, Any], gpus: Sequence[int]) -> str:
    """Return what is left to train, for a person to read.

    Args:
        root: the project.
        params: all of params.yaml.
        gpus: numbers of GPUs, or of slots, to say the duration for.

    Raises:
        UserError: the lists in params.yaml are wrong, or it lacks a setting.
    """
    _require(params)
    speeds = throughput(root, params["prepare"]["image_size"], params["train"]["encoder"])
    planned = _planned(root, params, speeds.images_per_s)
    known = [p.seconds for p in planned if p.seconds is not None]
    disk = [p.disk_mb for p in planned if p.disk_mb is not None]
    lines = [
        f"cells left       {len(planned)}",
        f"training images  {sum(p.images for p in planned):,}, counting every epoch",
        f"disk             {sum(disk) / 1024:.1f} GB for {len(disk)} of the cells",
    ]
    if not planned:
        return "Nothing is left to train."
    if not known:
        cure = (
            "no finished run at this image size with this encoder. Train a few (`bench sweep cfd/unet/0`), ask again."
        )
        return "\n".join([*lines, f"hours            unknown: {cure}"])
    lines.append(f"hours            {sum(known) / 3600:,.2f} on one {speeds.hardware}")
    without = Counter(p.name.split("/")[1] for p in planned if p.seconds is None)
    if without:
        lines.append(f"not counted      {without.total()} cells of {', '.join(without)}: speed unknown")
    scaled = sorted({p.name.split("/")[1] for p in planned if p.seconds} - speeds.measured)
    if scaled:
        lines.append(f"from their multiply-adds, not measured: {', '.join(scaled)}")
    for count in gpus:
        span, bound = makespan(known, count), max(sum(known) / count, max(known))
        lines.append(
            f"on {count:>4} of them  {span / 3600:,.2f} hours; no schedule takes less than {bound / 3600:,.2f}"
        )
    return "\n".join(lines)


def commands(root: Path, params: Mapping[str, Any]) -> str:
    """Return one shell line for each cell that is left; afterwards, `bench sweep --collect` records them.

    Raises:
        UserError: as ``plan``.
    """
    _require(params)
    lines = [
        f"cd {shlex.quote(str(root))} && bench sweep --no-record --jobs 1 {p.name}" for p in _planned(root, params, {})
    ]
    return "\n".join(lines)


def makespan(seconds: Sequence[float], slots: int) -> float:
    """Return how long tasks take on equal slots, longest first, each on the slot that is free first.

    **Source:** Graham (1969), DOI 10.1137/0117039.

    >>> makespan([3, 3, 2, 2, 2], 2)
    7.0
    """
    free = [0.0] * slots
    for duration in sorted(seconds, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + duration)
    return max(free)


def _require(params: Mapping[str, Any]) -> None:
    """Refuse params.yaml without what a plan is made of; the stages check the rest."""
    for section, keys in NEEDED.items():
        for key in keys:
            if not isinstance(params.get(section), Mapping) or key not in params[section]:
                raise UserError(f"params.yaml: the key '{section}.{key}' is missing.")


def _planned(root: Path, params: Mapping[str, Any], images_per_s: Mapping[str, float]) -> list[Planned]:
    """Return the cells that are left: the declared ones, without those that DVC knows to be up to date."""
    datasets = name_list(params, "datasets", plugins.names("datasets"))
    models = name_list(params, "models", plugins.names("models"))
    items = {d: _train_items(root, d, params["prepare"]) for d in datasets}
    sizes = {m: _disk_mb(root, m) for m in models}
    outdated = cells.outdated_names(root, "train")
    found = []
    for d, m, s in ((d, m, s) for d in datasets for m in models for s in seed_list(params)):
        if f"train@{d}-{m}-{s}" in outdated:
            images = items[d] * params["train"]["epochs"]
            seconds = images / images_per_s[m] if m in images_per_s else None
            found.append(Planned(f"{d}/{m}/{s}", images, seconds, sizes[m]))
    return found


def _train_items(root: Path, dataset: str, prepare: Mapping[str, Any]) -> int:
    """Return the training images: as prepared, or from the dataset's card."""
    prepared = train_items(root / "prepared" / dataset)
    if prepared is not None:
        return prepared
    share: float = (1 - prepare["test_share"]) * (1 - prepare["validation_share"])
    images: int = plugins.load("datasets", dataset).CARD.images
    return round(images * share)


def _disk_mb(root: Path, model: str) -> float | None:
    """Return the size of a run, MiB: the mean of those there are, or that of the weights, 4 bytes a parameter."""
    runs = [p.parent for p in root.glob(f"runs/*/{model}/*/run.json")]
    if runs:
        total = sum(f.stat().st_size for run in runs for f in run.rglob("*") if f.is_file())
        return total / len(runs) / 2**20
    path = root / "results" / "cost" / f"{model}.json"
    return float(cost.read(path)["parameters"]) * 4 / 2**20 if path.is_file() else None
