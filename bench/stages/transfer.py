"""Transfer: the runs of one dataset predict the test images of all -> results/transfer/<dataset>, counts only."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm import tqdm

from bench import plugins
from bench.data.corrupt import CORRUPTIONS, corrupt
from bench.data.duplicates import ALIKE, orientations, thumbnail
from bench.data.views import view, whole
from bench.errors import UserError, instead_of
from bench.formats import files, prepared
from bench.formats import run as run_format
from bench.formats.protocol import protocol
from bench.formats.transfer import CLEAN, Transfer, group_of, write
from bench.training.device import pick_device
from bench.training.loader import normalise
from bench.training.predict import crack_probability
from bench.training.settings import Device

BATCH = 128
"""Items predicted at once; fewer if they are larger than 128 px."""
KEPT = ("dataset", "model", "model_name", "seed", "protocol", "data", "program", "source", "hardware")
"""What is kept of the record of a run."""


@dataclass(frozen=True)
class TransferSettings:
    """What the runs predict besides their own test images.

    Attributes:
        corruptions: names of corruptions of the own test images; each is one of ``CORRUPTIONS``.
        device: auto, cpu, cuda, mps or xpu; the section's only setting of the machine.
    """

    corruptions: tuple[str, ...]
    device: Device

    def __post_init__(self) -> None:
        """Check the names."""
        for name in self.corruptions:
            if name not in CORRUPTIONS:
                raise ValueError(f"unknown corruption {name!r}{instead_of(name, list(CORRUPTIONS))}")


@dataclass(frozen=True)
class _Set:
    """Test items of one dataset under one condition, on the device.

    Attributes:
        images: uint8 (N, H, W, 3).
        masks: class of each pixel, 255 where ignored, uint8 (N, H, W).
        image_of: number of the whole image that each item belongs to, (N,).
        facts: a row per whole image, as in ``formats.transfer.TARGETS``.
    """

    images: Tensor
    masks: Tensor
    image_of: Tensor
    facts: pd.DataFrame


def run(
    source: Path,
    runs: Path,
    target: Path,
    dataset: str,
    targets: Sequence[str],
    cells: Sequence[tuple[str, int]],
    settings: TransferSettings,
) -> None:
    """Write how each run of ``dataset`` does on the test images of ``targets``, and on its own if corrupted.

    Args:
        source: folder of the prepared datasets.
        runs: folder of the runs of ``dataset``.
        target: output folder.
        dataset: the runs were trained on it.
        targets: datasets to predict, ``dataset`` among them or not.
        cells: models and seeds; those without a run are listed as missing.
        settings: the section ``transfer`` of params.yaml.

    Raises:
        UserError: a run belongs to other data or another protocol than a target, or is damaged; there is no run.
    """
    device = pick_device(settings.device)
    home = prepared.read(source / dataset)
    found = [(model, seed) for model, seed in cells if (runs / model / str(seed) / "run.json").is_file()]
    if not found:
        raise UserError(f"{runs} holds no finished run of {', '.join(sorted({m for m, _ in cells}))}: train first.")
    others = {name: home if name == dataset else prepared.read(source / name) for name in targets}
    sets = list(_sets(home, others, settings.corruptions, device))
    records, counts, histograms = [], [], []
    for model, seed in tqdm(found, desc=f"transfer {dataset}", unit="run"):
        record = _record(runs / model / str(seed), home, others)
        network = _network(runs / model / str(seed), record, home, device)
        with _precision(record, device):
            results = [_count(network, part) for part in sets]
        if not all(finite for _, _, finite in results):
            raise UserError(f"the output of {runs / model / str(seed)} is NaN or infinite: train it again in float32.")
        records.append({key: record[key] for key in KEPT})
        counts.append(np.concatenate([count for count, _, _ in results]))
        histograms.append(np.stack([histogram for _, histogram, _ in results]))
    missing = [{"model": model, "seed": seed} for model, seed in cells if (model, seed) not in found]
    for cell in missing:
        print(f"{runs}: no finished run of {cell['model']}/{cell['seed']}, it will be missing.", file=sys.stderr)
    facts = pd.concat([part.facts for part in sets], ignore_index=True)
    assert group_of(facts).max() + 1 == len(sets)
    write(target, Transfer(facts, np.stack(counts), np.stack(histograms), records, missing))


def _sets(
    home: prepared.Prepared, others: dict[str, prepared.Prepared], corruptions: Sequence[str], device: torch.device
) -> Iterator[_Set]:
    """Yield the test items of each dataset, and those of ``home`` under each corruption."""
    own = _whole_images(home, np.concatenate([home.split("train"), home.split("validation")]))
    for name, data in others.items():
        rows = data.split("test")
        seen = set() if data is home else _seen(data, home, own)
        yield _set(name, CLEAN, data, np.asarray(data.images[rows]), seen, device)
    rows, names = home.split("test"), home.items["item"]
    for condition in corruptions:
        corrupted = [corrupt(np.array(home.images[row]), condition, names[row]) for row in rows]
        yield _set(home.card["dataset"], condition, home, np.stack(corrupted), set(), device)


def _set(
    name: str,
    condition: str,
    data: prepared.Prepared,
    images: npt.NDArray[np.uint8],
    seen: set[str],
    device: torch.device,
) -> _Set:
    """Return test items on the device; ``seen`` names the source images that were used for training."""
    rows = data.split("test")
    masks = np.asarray(data.masks[rows])
    part = data.items.iloc[rows]
    numbers, names = pd.factorize(part["image"])
    facts = pd.DataFrame({"target": name, "condition": condition, "item": names})
    facts["photo"] = part["photo"].to_numpy()[np.unique(numbers, return_index=True)[1]]
    facts["pixels"] = np.bincount(numbers, (masks != prepared.IGNORED).sum((1, 2))).astype(int)
    facts["crack"] = np.bincount(numbers, ((masks > 0) & (masks != prepared.IGNORED)).sum((1, 2))).astype(int)
    facts["seen"] = facts["photo"].isin(seen).astype(int)
    pixels, classes, image_of = (torch.from_numpy(array).to(device) for array in (images, masks, numbers))
    return _Set(pixels, classes, image_of, facts)


def _whole_images(data: prepared.Prepared, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return photo and thumbnail of each whole image that has a tile among the rows."""
    result = []
    for name in dict.fromkeys(data.items["image"].iloc[rows]):
        image = view(data, name)
        pixels = whole(data, image.rows, image.places, [np.asarray(data.images[row]) for row in image.rows])
        result.append((image.photo, thumbnail(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))))
    return pd.DataFrame(result, columns=["photo", "thumbnail"])


def _seen(data: prepared.Prepared, home: prepared.Prepared, own: pd.DataFrame) -> set[str]:
    """Return the source images of a test split that were used for training: by what they show, or by their names.

    Equal names count only between datasets whose cards say that they share source images.
    """
    tests = _whole_images(data, data.split("test"))
    known = np.stack(list(own["thumbnail"])).reshape(len(own), -1)
    alike = np.zeros(len(tests), bool)
    for _, turned in orientations(np.stack(list(tests["thumbnail"]))):
        alike |= (turned.reshape(len(tests), -1) @ known.T > ALIKE).any(1)
    shares = data.card["dataset"] in plugins.load("datasets", home.card["dataset"]).CARD.shares_photographs_with
    return set(tests["photo"][alike | (shares & tests["photo"].isin(own["photo"]))])


def _record(folder: Path, home: prepared.Prepared, others: dict[str, prepared.Prepared]) -> dict[str, Any]:
    """Return the record of a run, after verifying that its data and protocol are those of the targets."""
    record, _ = run_format.read(folder)
    if record["data"] != home.card["content"]:
        raise UserError(f"{folder / 'run.json'} was trained on other data than are prepared now: train it again.")
    for name, data in others.items():
        if protocol(data.card, record["settings"]["train"])[1] != record["protocol"]:
            raise UserError(f"{name} is prepared by other settings than {folder} was trained with: prepare it again.")
    files.verify(folder, ["weights.safetensors"])
    return record


def _network(folder: Path, record: dict[str, Any], data: prepared.Prepared, device: torch.device) -> nn.Module:
    """Return the trained network of a run on the device."""
    side, classes = data.images.shape[1], data.card["classes"]
    encoder = record["settings"]["train"]["encoder"]
    network: nn.Module = plugins.build_network(record["model"], 3, classes, side, encoder, None)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()


def _precision(record: dict[str, Any], device: torch.device) -> torch.autocast:
    """Return the context in which a run predicts as it did when it was trained."""
    half = record["computes_in"] != "float32"
    torch.backends.cudnn.allow_tf32 = record["settings"]["train"]["precision"] != "float32"
    return torch.autocast(device.type, getattr(torch, record["computes_in"]) if half else None, half)


@torch.no_grad()
def _count(network: nn.Module, part: _Set) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64], bool]:
    """Return true and false positives per image, (images, 2), the set's histogram, (2, 256), whether all is finite."""
    device, step = part.images.device, max(1, BATCH * 128**2 // (part.images.shape[1] * part.images.shape[2]))
    counts = torch.zeros(len(part.facts), 2, dtype=torch.int64, device=device)
    histogram = torch.zeros(512, dtype=torch.int64, device=device)
    finite = torch.ones((), dtype=torch.bool, device=device)
    for start in range(0, len(part.images), step):
        chosen = slice(start, start + step)
        prob = crack_probability(network(normalise(part.images[chosen])).float())
        finite &= prob.isfinite().all()
        known = part.masks[chosen] != prepared.IGNORED
        true, levels = (part.masks[chosen] > 0) & known, (prob.nan_to_num() * 256).floor().clamp(0, 255).long()
        pred = (levels >= 128) & known
        both = torch.stack([(pred & true).sum((1, 2)), (pred & ~true).sum((1, 2))], 1)
        counts.index_add_(0, part.image_of[chosen], both)
        histogram += torch.bincount((levels + 256 * true)[known], minlength=512)
    of_set = histogram.cpu().numpy().astype(np.uint64).reshape(2, 256)
    return counts.cpu().numpy().astype(np.uint32), of_set, bool(finite)
