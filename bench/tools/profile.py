"""Time a training for a minute to find whether the data loader or the device limits it."""

import time
from collections.abc import Iterator
from dataclasses import replace

import torch

from bench.formats.prepared import Prepared
from bench.stages import train
from bench.training import loop
from bench.training.device import pick_device, wait_for
from bench.training.loader import train_batches
from bench.training.settings import TrainSettings

WARM_UP_STEPS = 2


def throughput(data: Prepared, model: str, settings: TrainSettings, seconds: float) -> dict[str, float]:
    """Return images per second of the loader alone, of the training step alone, and of both together.

    Args:
        data: a prepared dataset.
        model: name of the architecture.
        settings: the section ``train`` of params.yaml; its weights are not loaded.
        seconds: duration of each of the three measurements.
    """
    device = pick_device(settings.device)
    settings = replace(settings, weights=None, epochs=10**6)
    train.configure(settings, 0)
    return {
        "loader": images_per_s(feed(data, settings, device), seconds, device),
        "step": images_per_s(steps(data, model, settings, device, repeat_one=True), seconds, device),
        "together": images_per_s(steps(data, model, settings, device, repeat_one=False), seconds, device),
    }


def verdict(rates: dict[str, float], settings: TrainSettings) -> str:
    """Return one sentence: what limits the training, and which setting to change."""
    share = 100 * rates["together"] / rates["step"]
    if rates["loader"] > 1.2 * rates["step"]:
        return f"The network limits the training, the loader keeps up: {share:.0f} % of the bare step's speed."
    hint = "more train.workers, a machine with more cores, or train.augment_on: device"
    if settings.augment_on == "device":
        hint = "train.augment_on: workers may be faster on a machine with many cores"
    return f"The loader limits the training, at {share:.0f} % of the bare step's speed: {hint}."


def feed(data: Prepared, settings: TrainSettings, device: torch.device) -> Iterator[int]:
    """Load augmented batches to the device; yield the number of images of each."""
    for batch in train_batches(data, settings, 0, (1, 0), device):
        yield len(batch.rows)


def steps(data: Prepared, model: str, settings: TrainSettings, device: torch.device, repeat_one: bool) -> Iterator[int]:
    """Train as ``bench train`` does, or repeat the step on one batch; yield the number of images of each step."""
    network, criterion = train.build_network(data, model, settings, device), train.build_loss(data, settings, device)
    state = loop.start(network, settings, device)
    batches = train_batches(data, replace(settings, workers=0) if repeat_one else settings, 0, (1, 0), device)
    batch = next(batches)
    while True:
        loop.step(state, batch, criterion, settings, device)
        yield len(batch.rows)
        if not repeat_one:
            batch = next(batches)


def images_per_s(work: Iterator[int], seconds: float, device: torch.device) -> float:
    """Return the throughput of an iterator of numbers of images, after a warm-up."""
    for _ in range(WARM_UP_STEPS):
        next(work)
    wait_for(device)
    start, images, count = time.perf_counter(), 0, 0
    while time.perf_counter() - start < seconds:
        images += next(work)
        count += 1
        if count % 10 == 0:
            wait_for(device)  # otherwise minutes of work would queue up on a GPU
    wait_for(device)
    return images / (time.perf_counter() - start)
