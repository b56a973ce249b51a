"""Bring prepared images to the device as batches, augmented for training."""

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.errors import UserError
from bench.formats.prepared import Prepared
from bench.training.augment import augment, build_augmentation
from bench.training.augment_device import apply, draw
from bench.training.order import Rows, epoch_batches
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD, AugmentSettings, TrainSettings


@dataclass(frozen=True)
class TrainBatch:
    """One step's input.

    Attributes:
        epoch: from 1.
        step: from 0 within the epoch.
        last: whether the epoch ends with it.
        rows: positions of the items in the prepared arrays.
        images: normalised, float32 (B, 3, H, W), on the device.
        masks: class of each pixel, uint8 (B, H, W), on the device.
    """

    epoch: int
    step: int
    last: bool
    rows: Rows
    images: Tensor
    masks: Tensor


def train_batches(
    data: Prepared, settings: TrainSettings, seed: int, start: tuple[int, int], device: torch.device
) -> Iterator[TrainBatch]:
    """Yield the batches of all epochs from ``start`` = (epoch, step) on, without a pause between epochs.

    What comes is a function of (seed, epoch, item) alone: neither workers nor resuming change it.
    """
    arrays = _device_arrays if settings.augment_on == "device" else _worker_arrays
    keys = ([(epoch, int(row)) for row in rows] for epoch, _, _, rows in _plan(data, settings, seed, start))
    plan = _plan(data, settings, seed, start)
    for (epoch, step, last, rows), (images, masks) in zip(
        plan, arrays(data, keys, settings, seed, device), strict=True
    ):
        yield TrainBatch(epoch, step, last, rows, normalise(images), masks)


def _plan(
    data: Prepared, settings: TrainSettings, seed: int, start: tuple[int, int]
) -> Iterator[tuple[int, int, bool, Rows]]:
    """Yield epoch, step, whether the epoch ends with it, and the rows of each batch; never all of them in memory."""
    items = data.split("train")
    for epoch in range(start[0], settings.epochs + 1):
        batches = epoch_batches(items, settings.batch, seed, epoch)
        for step, rows in enumerate(batches):
            if (epoch, step) >= start:
                yield epoch, step, step == len(batches) - 1, rows


def count_workers(settings: TrainSettings, device: torch.device) -> int:
    """Return how many processes augment; on a CPU none, they would take the cores from the network.

    Beside a GPU one less than the threads that this process may use, which a sweep's slot and a scheduler lower.
    """
    if settings.workers is not None:
        return settings.workers
    return 0 if device.type == "cpu" else max(1, torch.get_num_threads() - 1)


Keys = Iterator[list[tuple[int, int]]]
"""Epoch and row of each item, batch by batch."""


def _worker_arrays(
    data: Prepared, keys: Keys, settings: TrainSettings, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images (B, H, W, 3) and masks (B, H, W) that processes on the CPU augment.

    Raises:
        UserError: the system killed one of them.
    """
    workers = count_workers(settings, device)
    if not workers:
        cv2.setNumThreads(0)  # a pool of OpenCV's would take the cores from torch's at each step's start
    loader = DataLoader(
        _Augmented(data, settings.augment, seed),
        batch_sampler=keys,
        num_workers=workers,
        collate_fn=_stack,
        pin_memory=device.type == "cuda",
        worker_init_fn=_start_worker,
        prefetch_factor=4 if workers else None,
        generator=torch.Generator(),  # else the loader would draw from the generator that dropout uses
    )
    try:
        for images, masks in loader:
            yield images.to(device, non_blocking=True), masks.to(device, non_blocking=True)
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):  # as torch names one that is gone
            raise
        raise UserError(
            f"a worker that augments images is gone, most often killed for want of memory ({error}): lower "
            f"train.workers (now {workers}) in params.yaml; the next run goes on from the last checkpoint."
        ) from error


def _device_arrays(
    data: Prepared, keys: Keys, settings: TrainSettings, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the same, from items that lie on the device and are augmented there."""
    rows = data.split("train")
    resident, place = load_resident(data, rows, device), {int(row): i for i, row in enumerate(rows)}
    size = resident.masks.shape[1]
    for chosen in keys:
        draws = [draw(settings.augment, size, (seed, epoch, row)) for epoch, row in chosen]
        places = [place[row] for _, row in chosen]
        images, masks = apply(
            [resident.images[i].permute(2, 0, 1) for i in places], [resident.masks[i] for i in places], draws
        )
        yield images.permute(0, 2, 3, 1), masks


@dataclass(frozen=True)
class Resident:
    """Items kept on the device for as long as a training lasts: the largest of the ten datasets has 0.6 GB to test on.

    Attributes:
        images: uint8 (N, H, W, 3).
        masks: class of each pixel, uint8 (N, H, W).
    """

    images: Tensor
    masks: Tensor

    def batches(self, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images, normalised, and masks, as in ``TrainBatch``, in order."""
        for i in range(0, len(self.images), batch):
            yield normalise(self.images[i : i + batch]), self.masks[i : i + batch]


def load_resident(data: Prepared, rows: Rows, device: torch.device) -> Resident:
    """Return the items of ``rows`` on the device."""
    return Resident(*(torch.from_numpy(array[rows]).to(device) for array in (data.images, data.masks)))


def normalise(images: Tensor) -> Tensor:
    """Return RGB bytes (B, H, W, 3) as float32 (B, 3, H, W) with ImageNet's mean 0 and deviation 1."""
    scale, shift = _constants(images.device)
    return (images * scale - shift).permute(0, 3, 1, 2)


@cache
def _constants(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return what bytes are multiplied by, and what is then taken off; made once, not in every step."""
    mean, std = (torch.tensor(values, device=device) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return 1 / (255 * std), mean / std


class _Augmented(Dataset[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]):
    """Augmented pairs by (epoch, row)."""

    def __init__(self, data: Prepared, settings: AugmentSettings, seed: int) -> None:
        self.data, self.seed = data, seed
        self.compose = build_augmentation(settings)

    def __getitem__(self, key: tuple[int, int]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        epoch, row = key
        image, mask = np.array(self.data.images[row]), np.array(self.data.masks[row])
        return augment(self.compose, image, mask, (self.seed, epoch, row))


def _stack(pairs: Sequence[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]) -> tuple[Tensor, Tensor]:
    images, masks = zip(*pairs, strict=True)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(masks))


def _start_worker(worker: int) -> None:
    """Keep OpenCV from starting a thread pool in each worker; end quietly when a signal asks all processes to."""
    cv2.setNumThreads(0)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # with another status torch would raise in the main process
