"""On a GPU that only has shapes: a step mixes no devices and never waits, for every model; and the check can fail."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench import plugins
from bench.training import loop
from bench.training.augment_device import apply, draw
from bench.training.loader import Resident, TrainBatch, normalise
from bench.training.loss import binary_loss, multiclass_loss
from bench.training.predict import crack_probability
from tests.fixtures.fake_gpu import CUDA, NoWaiting, WaitsError, fake_gpu

SIDE = 128  # PAN pools five times and then thrice
Make = Callable[..., Any]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[NoWaiting]:
    """Compute on a fake GPU; enter what this returns where nothing may wait."""
    with fake_gpu(monkeypatch) as watch:
        yield watch


def items(count: int) -> Resident:
    """Return items of zeros on the fake GPU."""
    return Resident(
        torch.zeros(count, SIDE, SIDE, 3, dtype=torch.uint8), torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    )


def batch(count: int) -> TrainBatch:
    """Return a batch on the fake GPU."""
    resident = items(count)
    return TrainBatch(1, 0, False, np.arange(count), normalise(resident.images), resident.masks)


@pytest.mark.parametrize("model", plugins.names("models"))
def test_a_step_and_a_validation_of_a_model_do_not_wait(model: str, gpu: NoWaiting, train_settings: Make) -> None:
    settings = train_settings(device="cuda", precision="mixed", batch=8, accumulate=2)
    network = plugins.build_network(model, 3, 1, SIDE, "resnet18", None)
    state, given = loop.start(network, settings, CUDA), batch(8)
    gpu.weights += network.parameters()
    assert state.scaler.is_enabled()  # float16, which this machine's missing GPU has instead of bfloat16
    with gpu:
        loss = loop.step(state, given, lambda *pair: binary_loss(*pair, settings.loss, True), settings, CUDA)
        loop.step(state, given, lambda *pair: binary_loss(*pair, settings.loss), settings, CUDA)
        sums = loop.validation_loss(network, items(3), lambda *pair: binary_loss(*pair, settings.loss), settings, CUDA)
        with torch.no_grad():
            prob = crack_probability(network(given.images))
    assert {t.device.type for t in (loss, sums, prob, state.sums, *network.state_dict().values())} == {"cuda"}
    assert prob.shape == (8, SIDE, SIDE)


def test_a_step_of_several_classes_does_not_wait(gpu: NoWaiting, train_settings: Make) -> None:
    settings = train_settings(device="cuda", precision="float32")
    network, weights = nn.Conv2d(3, 4, 3, padding=1), torch.ones(4)
    state, given = loop.start(network, settings, CUDA), batch(4)
    gpu.weights += network.parameters()
    with gpu:
        for ignored in (False, True):
            loop.step(
                state, given,
                lambda x, y, ignored=ignored: multiclass_loss(x, y, weights, settings.loss, ignored), settings, CUDA,
            )  # fmt: skip
        assert crack_probability(network(given.images)).device.type == "cuda"


def test_the_augmentation_on_the_device_does_not_wait(gpu: NoWaiting, train_settings: Make) -> None:
    always = dict.fromkeys(("horizontal_flip_p", "vertical_flip_p", "affine_p", "noise_p", "jitter_p"), 1.0)
    settings = train_settings(augment=train_settings().augment.__dict__ | always | {"quarter_turn_p": 1.0}).augment
    resident = items(2)
    normalise(resident.images)  # the constants are made once, before the first step
    with gpu, torch.device("cpu"):  # the default device, as outside this test
        images, masks = apply(
            [image.permute(2, 0, 1) for image in resident.images],
            list(resident.masks),
            [draw(settings, SIDE, (0, 1, row)) for row in range(2)],
        )
        normalise(images.permute(0, 2, 3, 1))
    assert images.device.type == masks.device.type == "cuda"
    assert len(gpu.pinned) == 1  # one transfer for the batch


def _item(x: Tensor, y: Tensor) -> Tensor:
    return x.mean((1, 2, 3)) * x.max().item()


def _branch(x: Tensor, y: Tensor) -> Tensor:
    return x.mean((1, 2, 3)) if x.max() > 0 else x.sum((1, 2, 3))


def _select(x: Tensor, y: Tensor) -> Tensor:
    return x.mean((1, 2, 3)) + x[x > 0].mean()


def _to_cpu(x: Tensor, y: Tensor) -> Tensor:
    return x.cpu().mean((1, 2, 3))


def _of_the_cpu(x: Tensor, y: Tensor) -> Tensor:
    return (x * torch.ones(SIDE, device="cpu")).mean((1, 2, 3))


def _to_the_gpu(x: Tensor, y: Tensor) -> Tensor:
    return x.mean((1, 2, 3)) * torch.ones(4, device="cpu").to(x.device)


def _not_pinned(x: Tensor, y: Tensor) -> Tensor:
    return x.mean((1, 2, 3)) * torch.ones(4, SIDE, SIDE, device="cpu").to(x.device, non_blocking=True).mean((1, 2))


def _copied_in_place(x: Tensor, y: Tensor) -> Tensor:
    torch.ones(x.shape, device="cpu").copy_(x)
    return x.mean((1, 2, 3))


def _listed(x: Tensor, y: Tensor) -> Tensor:
    return x.mean((1, 2, 3)) * sum(x.mean((1, 2, 3)).tolist())


MISTAKES = [
    _item, _branch, _select, _to_cpu, _of_the_cpu, _to_the_gpu, _not_pinned, _copied_in_place, _listed,
]  # fmt: skip


@pytest.mark.parametrize("criterion", MISTAKES, ids=lambda function: function.__name__)
def test_a_mistake_is_found(criterion: Any, gpu: NoWaiting, train_settings: Make) -> None:
    settings = train_settings(device="cuda", precision="float32")
    network = nn.Conv2d(3, 1, 3, padding=1)
    state, given = loop.start(network, settings, CUDA), batch(4)
    gpu.weights += network.parameters()
    with gpu, pytest.raises(WaitsError):
        loop.step(state, given, criterion, settings, CUDA)
