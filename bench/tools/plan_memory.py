"""Say which cells fit which GPU's memory, and with how many parts of a batch (`train.accumulate`) the others fit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import DataDependentOutputException
from tqdm import tqdm

from bench import plugins
from bench.formats import files
from bench.formats.prepared import read
from bench.machine import memory_bytes
from bench.settings import section
from bench.tools.memory import Footprint, available, footprint, kept_data, say_gb
from bench.training.settings import TrainSettings

CARDS_GB = (8, 12, 24, 48, 80)


def memory_lines(params: Mapping[str, Any], models: Sequence[str], items: int) -> list[str]:
    """Return a heading and a line per model: the memory that its cells need on a GPU, and what makes them fit.

    Args:
        params: all of params.yaml.
        models: the architectures whose cells are left to train.
        items: the most images that a cell keeps on the GPU, of any dataset.

    Raises:
        UserError: a setting is wrong, or an architecture cannot be built.
    """
    settings, side = section(params, "train", TrainSettings), params["prepare"]["image_size"]
    parts = "" if settings.accumulate == 1 else f" in {settings.accumulate} parts"
    lines = [f"memory on a GPU  computed for batches of {settings.batch} images of {side} px{parts}"]
    for model in tqdm(models, desc="memory", unit="model", leave=False):
        try:
            found = footprint(model, side, settings, settings.precision == "mixed")
        except DataDependentOutputException:
            lines.append(f"  {model:<24} cannot be computed: what the network does depends on values")
            continue
        lines.append(f"  {model:<24} {fits(found, settings, kept_data(side, items))}")
    return lines


def fits(found: Footprint, settings: TrainSettings, kept: int) -> str:
    """Return the need of a model, the GPUs it fits, and the parts that make it fit smaller ones."""
    parts = {card: found.accumulate(settings, available(card * 2**30) - kept) for card in CARDS_GB}
    whole = [f"{card}" for card, count in parts.items() if count == settings.accumulate]
    words = [f"{say_gb(found.peak(settings) + kept):>8}", f"fits {', '.join(whole)} GB" if whole else "fits none"]
    words += [f"{card} GB with accumulate {n}" for card, n in parts.items() if n and n != settings.accumulate]
    return "; ".join([*words, *(f"{card} GB is too small" for card, n in parts.items() if n is None)])


def advice(cause: BaseException | None, prepared: Path, model: str, settings: TrainSettings) -> str:
    """Return a sentence for a training that ran out of memory: what it needs, and what makes it fit; else "".

    Args:
        cause: what ended the training.
        prepared: the prepared dataset.
        model: name of the architecture.
        settings: of the training.
    """
    is_gpu = isinstance(cause, torch.OutOfMemoryError)
    if not torch.cuda.is_available() if is_gpu else "can't allocate memory" not in str(cause):
        return ""
    side = read(prepared).images.shape[1]
    kept = kept_data(side, kept_items(prepared, "", {"prepare": {}, "train": asdict(settings)}))
    try:
        found = footprint(model, side, settings, is_gpu and settings.precision == "mixed")
    except DataDependentOutputException:
        return ""
    limit = memory_bytes()
    if is_gpu:  # several cells may share the GPU
        share = torch.cuda.get_per_process_memory_fraction(0)
        limit = int(share * torch.cuda.get_device_properties(0).total_memory)
    more = replace(settings, accumulate=2 * settings.accumulate)
    parts = found.accumulate(more, available(limit) - kept)
    hint = f"train.accumulate: {parts} is the least that is computed to fit" if parts else "no train.accumulate fits"
    return f" Computed need: {say_gb(found.peak(settings) + kept)}; of the {say_gb(limit)} here {hint}."


def kept_items(prepared: Path, dataset: str, params: Mapping[str, Any]) -> int:
    """Return how many items a training keeps on the device: as prepared, or estimated from the dataset's card.

    They are those that select the checkpoint or are tested on and, with ``augment_on: device``, the training items.
    """
    prepare, train = params["prepare"], params["train"]
    path = prepared / "items.csv"
    if path.is_file():
        counts = files.read_csv(path, ["split"], text=["split"])["split"].value_counts().to_dict()
    else:
        images, test = plugins.load("datasets", dataset).CARD.images, prepare["test_share"]
        validation = (1 - test) * prepare["validation_share"]
        shares = {"test": test, "validation": validation, "train": 1 - test - validation}
        counts = {split: round(images * share) for split, share in shares.items()}
    kept = max(counts.get("test", 0), counts.get(train["select_on"], 0))
    return int(kept + (counts.get("train", 0) if train["augment_on"] == "device" else 0))
