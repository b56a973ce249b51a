"""Load prepared images to the device in batches, augmented for training."""

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
    """The input of one training step.

    Attributes:
        epoch: from 1.
        step: from 0 within the epoch.
        last: whether this is the last batch of the epoch.
        rows: rows of the items in the prepared arrays.
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
    """Yield the batches of all epochs, starting at ``start`` = (epoch, step), without a pause between epochs.

    The batches depend on (seed, epoch, item) only, not on the number of workers or on resuming.
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
    """Yield epoch, step, whether it is the last batch of the epoch, and the rows of each batch, lazily."""
    items = data.split("train")
    for epoch in range(start[0], settings.epochs + 1):
        batches = epoch_batches(items, settings.batch, seed, epoch, settings.epoch_items)
        for step, rows in enumerate(batches):
            if (epoch, step) >= start:
                yield epoch, step, step == len(batches) - 1, rows


def count_workers(settings: TrainSettings, device: torch.device) -> int:
    """Return the number of augmentation workers: 0 on a CPU, where they would compete with the network for cores.

    With a GPU, one less than the threads of this process, a number that sweep slots and schedulers may limit.
    """
    if settings.workers is not None:
        return settings.workers
    return 0 if device.type == "cpu" else max(1, torch.get_num_threads() - 1)


Keys = Iterator[list[tuple[int, int]]]
"""(epoch, row) of each item, batch by batch."""


def _worker_arrays(
    data: Prepared, keys: Keys, settings: TrainSettings, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images (B, H, W, 3) and masks (B, H, W), augmented by worker processes on the CPU.

    Raises:
        UserError: a worker was killed.
    """
    workers = count_workers(settings, device)
    if not workers:
        cv2.setNumThreads(0)  # OpenCV's thread pool would compete with torch's for cores
    loader = DataLoader(
        _Augmented(data, settings.augment, seed),
        batch_sampler=keys,
        num_workers=workers,
        collate_fn=_stack,
        pin_memory=device.type == "cuda",
        worker_init_fn=_start_worker,
        prefetch_factor=4 if workers else None,
        generator=torch.Generator(),  # otherwise the loader draws from the generator that dropout uses
    )
    try:
        for images, masks in loader:
            yield images.to(device, non_blocking=True), masks.to(device, non_blocking=True)
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):  # how torch reports a dead worker
            raise
        raise UserError(
            f"a data loader worker died, most likely because memory ran out ({error}): lower train.workers (now "
            f"{workers}) in params.yaml; the next run resumes from the last checkpoint."
        ) from error


def _device_arrays(
    data: Prepared, keys: Keys, settings: TrainSettings, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the same from items that are kept, and augmented, on the device."""
    rows = data.split("train")
    resident, index_of = load_resident(data, rows, device), {int(row): i for i, row in enumerate(rows)}
    size = resident.masks.shape[1]
    for batch in keys:
        draws = [draw(settings.augment, size, (seed, epoch, row)) for epoch, row in batch]
        indices = [index_of[row] for _, row in batch]
        images, masks = apply(
            [resident.images[i].permute(2, 0, 1) for i in indices], [resident.masks[i] for i in indices], draws
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
        """Yield normalised images and masks, as in ``TrainBatch``, in the order of the rows."""
        for i in range(0, len(self.images), batch):
            yield normalise(self.images[i : i + batch]), self.masks[i : i + batch]


def load_resident(data: Prepared, rows: Rows, device: torch.device) -> Resident:
    """Return the items of ``rows`` on the device."""
    return Resident(*(torch.from_numpy(array[rows]).to(device) for array in (data.images, data.masks)))


def normalise(images: Tensor) -> Tensor:
    """Return uint8 RGB (B, H, W, 3) as float32 (B, 3, H, W), normalised with ImageNet's mean and deviation."""
    scale, shift = _constants(images.device)
    return (images * scale - shift).permute(0, 3, 1, 2)


@cache
def _constants(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the factor and the offset of the normalisation; cached, not rebuilt in every step."""
    mean, std = (torch.tensor(values, device=device) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return 1 / (255 * std), mean / std


class _Augmented(Dataset[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]):
    """Augmented pairs, indexed by (epoch, row)."""

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
    """Disable OpenCV's thread pool in a worker, and make it exit silently on SIGTERM."""
    cv2.setNumThreads(0)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # any other status makes torch raise in the main process
