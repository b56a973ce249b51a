"""Train: prepared/<dataset> -> runs/<dataset>/<model>/<seed>: one cell, from the first step to its predictions."""

import math
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bench import plugins
from bench.errors import UserError
from bench.formats import files, predictions, prepared
from bench.formats import run as run_format
from bench.learning.augment import AugmentSettings
from bench.learning.loss import Loss, LossSettings, binary_loss, inverse_frequency, multiclass_loss
from bench.protocol import MACHINE_ONLY, protocol
from bench.stages._device import commit, describe_hardware, peak_memory_mb, pick_device, program, versions
from bench.stages._feed import hold
from bench.stages._fit import autocast, fit
from bench.stages._state import State

GATED_ITEMS = 4
"""Test items of which the gates are kept: enough to choose one from."""


@dataclass(frozen=True)
class Plateau:
    """Factor on the learning rate after ``patience`` epochs without a better loss."""

    factor: float
    patience: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.factor < 1 or self.patience < 0:
            raise ValueError(f"factor must lie between 0 and 1, got {self.factor}, and patience not be negative")


@dataclass(frozen=True)
class Settings:
    """The section ``train`` of params.yaml: identical for all models; comments there say what each key means."""

    encoder: str
    weights: str | None
    epochs: int
    batch: int
    accumulate: int
    lr: float
    weight_decay: float
    plateau: Plateau
    stop_patience: int
    select_on: Literal["test", "validation"]
    precision: Literal["mixed", "float32"]
    loss: LossSettings
    augment: AugmentSettings
    augment_on: Literal["workers", "device"]
    device: Literal["auto", "cpu", "cuda"]
    threads: int | None
    workers: int | None
    deterministic: bool
    compile: bool
    checkpoint_minutes: float

    def __post_init__(self) -> None:
        """Check the ranges; a number that is none fails every comparison."""
        for name in ("epochs", "batch", "accumulate", "stop_patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.lr <= 10:
            raise ValueError(f"lr must be above 0 and at most 10, got {self.lr}")
        if not 0 <= self.weight_decay <= 10:
            raise ValueError(f"weight_decay must be 0 to 10, got {self.weight_decay}")
        if self.threads is not None and not 1 <= self.threads <= 4096:
            raise ValueError(f"threads must be 1 to 4096 or null, got {self.threads}")
        if self.workers is not None and not 0 <= self.workers <= 4096:
            raise ValueError(f"workers must be 0 to 4096 or null, got {self.workers}")
        if not 0 <= self.checkpoint_minutes < math.inf:
            raise ValueError(f"checkpoint_minutes must not be negative, got {self.checkpoint_minutes}")


def run(source: Path, target: Path, model: str, seed: int, settings: Settings) -> None:
    """Train one cell, predict its test items and write the run.

    An interrupted training goes on from its checkpoint, which lies beside ``target`` until the run is written.

    Args:
        source: the prepared dataset.
        target: folder of the run.
        model: name of the architecture.
        seed: decides initial weights, order, augmentation and dropout.
        settings: the section ``train`` of params.yaml.

    Raises:
        UserError: settings and data do not fit, the weights cannot be loaded, the loss is no number any more, or the
            device is out of memory.
    """
    data = prepared.read(source)
    device = pick_device(settings.device)
    _require_split(data, settings, source)
    _configure(settings, seed)
    network = build_network(data, model, settings, device)
    criterion = build_loss(data, settings, device)
    record = _record(data, model, seed, settings, device)
    checkpoints = target.with_name(f".{target.name}.checkpoint")
    identity = {key: record[key] for key in ("dataset", "model", "seed", "protocol", "data", "program")}
    try:
        state, stopped = fit(network, data, criterion, seed, settings, device, checkpoints, identity)
        (target / "run.json").unlink(missing_ok=True)  # of an earlier training: what it vouches for goes now
        shutil.rmtree(target / "probabilities", ignore_errors=True)
        _predict(network, data, target / "probabilities", settings, device)
        write_gates(network, data, target / "gates", device)
    except torch.OutOfMemoryError as error:
        raise UserError(_out_of_memory(settings, data, device)) from error
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with files.whole_file(target / "weights.safetensors") as temporary:
        save_file(weights, temporary)
    run_format.write(target, record | _outcome(state, stopped, device), pd.DataFrame(state.history))
    shutil.rmtree(checkpoints, ignore_errors=True)


def _require_split(data: prepared.Prepared, settings: Settings, source: Path) -> None:
    """Refuse a dataset without the items that the settings need."""
    for name, least in (("train", 2), ("test", 1), (settings.select_on, 1)):
        if len(data.split(name)) < least:
            raise UserError(
                f"{source} has {len(data.split(name))} {name} items, at least {least} are needed: "
                "change prepare.test_share, prepare.validation_share or train.select_on in params.yaml."
            )


def _configure(settings: Settings, seed: int) -> None:
    """Set what is global to the process: threads, determinism, and the seed that initial weights come from."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(settings.deterministic)
    torch.backends.cudnn.benchmark = not settings.deterministic
    torch.manual_seed(seed)


def build_network(data: prepared.Prepared, model: str, settings: Settings, device: torch.device) -> nn.Module:
    """Return the network on the device; channels last on a GPU, where convolutions are faster so."""
    build = plugins.load("models", model).build
    try:
        network: nn.Module = build(3, data.card["classes"], data.images.shape[1], settings.encoder, settings.weights)
    except ValueError as error:
        raise UserError(f"model {model!r}: {error}") from error
    layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
    network.to(device, memory_format=layout)  # type: ignore[call-overload]
    if settings.compile:
        network.compile()
    return network


def build_loss(data: prepared.Prepared, settings: Settings, device: torch.device) -> Loss:
    """Return the loss of each image for the dataset's classes."""
    classes = data.card["classes"]
    if classes == 1:
        return lambda logits, masks: binary_loss(logits, masks, settings.loss)
    frequency = inverse_frequency(data.masks[data.split("train")], classes)
    weights = torch.tensor(frequency, dtype=torch.float32, device=device)
    return lambda logits, masks: multiclass_loss(logits, masks, weights, settings.loss)


@torch.no_grad()
def _predict(
    network: nn.Module, data: prepared.Prepared, folder: Path, settings: Settings, device: torch.device
) -> None:
    """Write the probability of crack for every test item."""
    network.eval()
    rows = data.split("test")
    names = iter(data.items["item"].iloc[rows])
    for images, _ in hold(data, rows, device).batches(settings.batch):
        with autocast(settings, device):
            logits = network(images)
        for prob in _crack_probability(logits.float()).cpu().numpy():
            predictions.write_one(folder, next(names), predictions.quantise(prob))


@torch.no_grad()
def write_gates(network: nn.Module, data: prepared.Prepared, folder: Path, device: torch.device) -> None:
    """Write the gates of a network that has any, of the first test items, as ``<side in px>/<item>.png``, floor(256 g).

    They are what figure 7 shows; a report can so be rendered without the weights.
    """
    if not getattr(network, "has_gates", False):
        return
    rows = data.split("test")[:GATED_ITEMS]
    names = data.items["item"].iloc[rows]
    network.eval()
    images, _ = next(iter(hold(data, rows, device).batches(GATED_ITEMS)))
    for gate in network.gates(images):  # type: ignore[operator]
        for name, values in zip(names, gate[:, 0].float().cpu().numpy(), strict=True):
            predictions.write_one(folder / str(values.shape[0]), name, predictions.quantise(values))


def _crack_probability(logits: Tensor) -> Tensor:
    """Return the probability of crack, (B, H, W); of several classes, of any but the first."""
    return logits[:, 0].sigmoid() if logits.shape[1] == 1 else 1 - logits.softmax(1)[:, 0]


def _record(data: prepared.Prepared, model: str, seed: int, settings: Settings, device: torch.device) -> dict[str, Any]:
    """Return what is known of a run before it starts."""
    recorded, hashed = protocol(data.card, given := asdict(settings))
    return {
        "dataset": data.card["dataset"],
        "model": model,
        "model_name": plugins.load("models", model).NAME,
        "seed": seed,
        "protocol": hashed,
        "settings": recorded,
        "source": data.card["origin"]["source"],
        "data": data.card["content"],
        "code": commit(),
        "program": program(model),
        "versions": versions(),
        "hardware": describe_hardware(device),
        "machine": {key: given[key] for key in MACHINE_ONLY},
    }


def _outcome(state: State, stopped: str, device: torch.device) -> dict[str, Any]:
    """Return what is known of a run after it ended."""
    return {
        "epochs": len(state.history),
        "best_epoch": state.best_epoch,
        "seconds": round(state.seconds, 2),
        "images_per_s": round(state.items / max(state.seconds, 1e-9), 2),
        "peak_memory_mb": peak_memory_mb(device),
        "stopped": stopped,
    }


def _out_of_memory(settings: Settings, data: prepared.Prepared, device: torch.device) -> str:
    """Return what to do when the device is full."""
    side = data.images.shape[1]
    device_name = describe_hardware(device).get("gpu", "the machine")
    return (
        f"{device_name} is out of memory with batches of {settings.batch} images of {side}x{side} px: set "
        f"train.accumulate to {2 * settings.accumulate} in params.yaml, which computes each batch in that many parts "
        "and keeps its size."
    )
