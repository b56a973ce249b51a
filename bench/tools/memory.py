"""Compute the memory that a training step needs, without a device and without computing a step."""

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench import plugins
from bench.training import loop
from bench.training.loader import Resident, TrainBatch, normalise
from bench.training.loss import binary_loss
from bench.training.settings import TrainSettings

LIBRARIES = 2**29
"""What a process needs of a GPU before its first tensor, bytes: half a gibibyte."""

HEADROOM = 1.1
"""What is held of a GPU over what its tensors take."""

SMALLEST = 2
"""Images computed at once at least: batch normalisation needs more than one."""


@dataclass(frozen=True)
class Footprint:
    """Memory that the tensors of a training need at their peak, bytes; kept data and scratch space come on top.

    Attributes:
        kept: weights, gradients, moments of the optimiser, and the weights of the best epoch.
        smallest: peak of a step that computes two images at once.
        images: number of images computed at once by the largest step.
        largest: peak of that step.
        predicted: what one more image adds to a pass without gradients.
    """

    kept: int
    smallest: int
    images: int
    largest: int
    predicted: int

    def peak(self, settings: TrainSettings) -> int:
        """Return the peak with these settings: of a step, or of the validation, whose passes may be larger.

        Between the two steps that were followed the peak is interpolated, which is never too low: it is the largest of
        several sums, each linear in the number of images.
        """
        images, span = settings.micro_batch, self.images - SMALLEST
        share = (images - SMALLEST) / span if span else 0.0
        step = self.smallest + share * (self.largest - self.smallest)
        return round(max(step, self.kept + settings.predict_batch * self.predicted))

    def accumulate(self, settings: TrainSettings, available: float) -> int | None:
        """Return the smallest number of parts, doubled from the present one, that needs at most so many bytes."""
        parts = settings.accumulate
        while parts <= settings.batch // 2:
            if self.peak(replace(settings, accumulate=parts)) <= available:
                return parts
            parts *= 2
        return None


def footprint(model: str, side: int, settings: TrainSettings, is_mixed: bool) -> Footprint:
    """Return the memory of a training of a binary network.

    The real step runs on tensors that have a shape and a type and no content, while the storage that is alive is
    summed. Memory within one operation, such as the scratch space of a convolution, is not seen.

    Args:
        model: name of the architecture.
        side: side of the images, px.
        settings: the section ``train`` of params.yaml; its weights are not loaded.
        is_mixed: whether the network computes in 16 bit, as ``train.precision: mixed`` does on a GPU.

    Raises:
        UserError: the architecture cannot be built with these settings.
    """
    settings, images = replace(settings, accumulate=1), settings.micro_batch
    device = torch.device("cpu")
    normalise(torch.zeros(1, 1, 1, 3, dtype=torch.uint8))  # keeps constants, which must have content later on
    network = plugins.build_network(model, 3, 1, side, settings.encoder, None)
    network.to(memory_format=torch.channels_last)
    with FakeTensorMode(allow_non_fake_inputs=True), _Live() as live:
        _drop_content(network)
        weights = live.now
        if is_mixed:  # as the step itself turns it off on a CPU
            network.forward = torch.autocast("cpu", dtype=torch.bfloat16)(network.forward)
        state = loop.start(network, settings, device)

        def criterion(logits: Tensor, masks: Tensor) -> Tensor:
            return binary_loss(logits, masks, settings.loss)

        def step(count: int) -> int:
            peak: int = live.peak_of(lambda: loop.step(state, _batch(count, side), criterion, settings, device))
            return peak

        step(SMALLEST)  # makes the moments
        smallest = step(SMALLEST)
        largest = step(images) if images > SMALLEST else smallest
        kept = live.now
        items = Resident(*(torch.empty(SMALLEST, side, side, *last, dtype=torch.uint8) for last in ((3,), ())))
        passed = live.peak_of(lambda: loop.validation_loss(network, items, criterion, settings, device)) - live.now
    return Footprint(
        kept + weights, smallest + weights, images, largest + weights, math.ceil(passed / SMALLEST)
    )  # the weights once more: those of the best epoch


def available(card: float) -> float:
    """Return how much of a GPU's memory, bytes, the tensors of a training may take.

    The rest is for the driver and the libraries, scratch space of convolutions, and holes between blocks.
    """
    return card / HEADROOM - LIBRARIES


def kept_data(side: int, items: int) -> int:
    """Return the bytes of images and masks that a training keeps on the device."""
    return 4 * side * side * items


def say_gb(count: float) -> str:
    """Return bytes as GiB with one decimal.

    >>> say_gb(3 * 2**29)
    '1.5 GB'
    """
    return f"{count / 2**30:.1f} GB"


def _batch(count: int, side: int) -> TrainBatch:
    """Return a batch without content, its images channels last like those of the loader."""
    images = torch.empty(count, side, side, 3).permute(0, 3, 1, 2)
    return TrainBatch(1, 0, True, np.arange(count), images, torch.empty(count, side, side, dtype=torch.uint8))


def _drop_content(network: nn.Module) -> None:
    """Replace weights and buffers by tensors without content."""
    made: dict[int, Tensor] = {}

    def emptied(tensor: Tensor | None) -> Any:
        if tensor is None:
            return None
        if id(tensor) not in made:  # a network may use one weight twice
            empty = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)
            is_weight = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if is_weight else empty
        return made[id(tensor)]

    for module in network.modules():
        for held in (module._parameters, module._buffers):
            held.update({name: emptied(tensor) for name, tensor in held.items()})


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sum the storage that is alive, in bytes, as operations make it and as it is freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._sizes: dict[int, int] = {}

    def peak_of(self, work: Callable[[], Any]) -> int:
        """Return the most that is alive at once while something is done."""
        self.peak = self.now
        work()
        return self.peak

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        """Run an operation and add the storage of its results."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._add(leaf.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._sizes:
            self._sizes[key] = storage.nbytes()
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, key)

    def _drop(self, key: int) -> None:
        self.now -= self._sizes.pop(key)
