"""Bring prepared images to the device as batches, augmented for training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.formats.prepared import Prepared
from bench.learning.augment import AugmentSettings, augment, build_augmentation
from bench.learning.order import Rows, epoch_batches

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in [0, 1]; what ImageNet encoders were trained with, and the paper's normalisation."""


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
    data: Prepared,
    rows: Rows,
    settings: AugmentSettings,
    batch: int,
    seed: int,
    start: tuple[int, int],
    epochs: int,
    workers: int,
    device: torch.device,
) -> Iterator[TrainBatch]:
    """Yield the batches of all epochs from ``start`` = (epoch, step) on, without a pause between epochs.

    What comes is a function of (seed, epoch, item) alone: neither workers nor resuming change it.
    """
    plan = [
        (epoch, step, step == len(batches) - 1, chosen)
        for epoch in range(start[0], epochs + 1)
        for batches in [epoch_batches(rows, batch, seed, epoch)]
        for step, chosen in enumerate(batches)
        if (epoch, step) >= start
    ]
    loader = DataLoader(
        _Augmented(data, settings, seed),
        batch_sampler=[[(epoch, int(row)) for row in chosen] for epoch, _, _, chosen in plan],
        num_workers=workers,
        collate_fn=_stack,
        pin_memory=device.type == "cuda",
        worker_init_fn=_single_thread,
        prefetch_factor=4 if workers else None,
        generator=torch.Generator(),  # else the loader would draw from the generator that dropout uses
    )
    for (epoch, step, last, chosen), (images, masks) in zip(plan, loader, strict=True):
        ready = normalise(images.to(device, non_blocking=True))
        yield TrainBatch(epoch, step, last, chosen, ready, masks.to(device, non_blocking=True))


@dataclass(frozen=True)
class Held:
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


def hold(data: Prepared, rows: Rows, device: torch.device) -> Held:
    """Return the items of ``rows`` on the device."""
    return Held(*(torch.from_numpy(array[rows]).to(device) for array in (data.images, data.masks)))


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


def _single_thread(worker: int) -> None:
    """Keep OpenCV from starting a thread pool in each worker."""
    cv2.setNumThreads(0)
