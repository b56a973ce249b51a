"""Train: prepared/<dataset> -> runs/<dataset>/<model>/<seed>: one cell, from the first step to its predictions."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from bench import plugins
from bench.errors import UserError
from bench.formats import files, predictions, prepared
from bench.formats import run as run_format
from bench.formats.protocol import MACHINE_ONLY, protocol
from bench.training.device import keep_freed_memory, peak_memory_mb, pick_device
from bench.training.loop import fit
from bench.training.loss import Loss, binary_loss, inverse_frequency, multiclass_loss
from bench.training.precision import compute_dtype
from bench.training.predict import predict, write_gates
from bench.training.provenance import commit, describe_hardware, program, versions
from bench.training.settings import TrainSettings as TrainSettings  # the stage's section of params.yaml
from bench.training.state import State


def run(source: Path, target: Path, model: str, seed: int, settings: TrainSettings) -> None:
    """Train one cell, predict its test items and write the run.

    An interrupted training resumes from its checkpoint, which is kept beside ``target`` until the run is written.

    Args:
        source: the prepared dataset.
        target: folder of the run.
        model: name of the architecture.
        seed: decides initial weights, order, augmentation and dropout.
        settings: the section ``train`` of params.yaml.

    Raises:
        UserError: settings and data do not match, the weights cannot be loaded, a loss is NaN or infinite, or the
            device is out of memory.
    """
    data = prepared.read(source)
    device = pick_device(settings.device)
    _require_split(data, settings, source)
    configure(settings, seed)
    record = _record(data, model, seed, settings, device)
    checkpoints = target.with_name(f".{target.name}.checkpoint")
    identity = {key: record[key] for key in ("dataset", "model", "seed", "protocol", "data", "program")}
    try:
        network = build_network(data, model, settings, device)
        criterion = build_loss(data, settings, device)
        state, stopped = fit(
            network, data, criterion, seed, settings, device, checkpoints, identity,
            lambda history: run_format.write_history(target, pd.DataFrame(history)),
        )  # fmt: skip
        (target / "run.json").unlink(missing_ok=True)  # an earlier run.json would describe files that are replaced now
        for name in ("probabilities", predictions.CLASSES, "gates"):
            shutil.rmtree(target / name, ignore_errors=True)
        predict(network, data, target / "probabilities", settings, device)
        write_gates(network, data, target / "gates", device)
    except RuntimeError as error:
        if explanation := _explain(error, model, settings, data):
            raise UserError(explanation) from error
        raise
    _write_weights(network, target / "weights.safetensors", checkpoints)
    run_format.write(target, record | _outcome(state, stopped, device), pd.DataFrame(state.history))
    shutil.rmtree(checkpoints, ignore_errors=True)


def _write_weights(network: nn.Module, path: Path, checkpoints: Path) -> None:
    """Write the weights atomically."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with files.atomic_write(path) as temporary:
        try:
            save_file(weights, temporary)
        except SafetensorError as error:
            raise UserError(
                f"{path} cannot be written ({error}): free disk space and run again; a training of over a minute "
                f"resumes from {checkpoints}."
            ) from error


def _require_split(data: prepared.Prepared, settings: TrainSettings, source: Path) -> None:
    """Refuse a dataset with too few items in a split that the settings use."""
    for name, minimum in (("train", 2), ("test", 1), (settings.select_on, 1)):
        if len(data.split(name)) < minimum:
            raise UserError(
                f"{source} has {len(data.split(name))} {name} items, at least {minimum} are needed: "
                "change prepare.test_share, prepare.validation_share or train.select_on in params.yaml."
            )


def configure(settings: TrainSettings, seed: int) -> None:
    """Set the process-wide options: memory, threads, determinism and the seed of the initial weights."""
    if pick_device(settings.device).type == "cpu":
        keep_freed_memory()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(settings.deterministic)
    # filling costs up to 5 % on a CPU, and no uninitialised memory is read here
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not settings.deterministic
    torch.backends.cudnn.allow_tf32 = settings.precision != "float32"  # TF32 has a 10-bit mantissa, not 23
    torch.manual_seed(seed)


def build_network(data: prepared.Prepared, model: str, settings: TrainSettings, device: torch.device) -> nn.Module:
    """Return the network on the device; channels last like the images, which is faster, on CPUs too."""
    side, classes = data.images.shape[1], data.card["classes"]
    network: nn.Module = plugins.build_network(model, 3, classes, side, settings.encoder, settings.weights)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if settings.compile:
        network.compile()
    return network


def build_loss(data: prepared.Prepared, settings: TrainSettings, device: torch.device) -> Loss:
    """Return the loss function for the number of classes of the dataset."""
    classes = data.card["classes"]
    has_ignored = bool(data.card["measured"].get("ignored_pixels", 0))
    if classes == 1:
        return lambda logits, masks: binary_loss(logits, masks, settings.loss, has_ignored)
    frequency = inverse_frequency(data.masks[data.split("train")], classes)
    weights = torch.tensor(frequency, dtype=torch.float32, device=device)
    return lambda logits, masks: multiclass_loss(logits, masks, weights, settings.loss, has_ignored)


def _record(
    data: prepared.Prepared, model: str, seed: int, settings: TrainSettings, device: torch.device
) -> dict[str, Any]:
    """Return the part of run.json that is known before the training."""
    protocol_settings, protocol_hash = protocol(data.card, train_settings := asdict(settings))
    return {
        "dataset": data.card["dataset"],
        "model": model,
        "model_name": plugins.load("models", model).NAME,
        "classes": data.card["classes"],
        "seed": seed,
        "protocol": protocol_hash,
        "settings": protocol_settings,
        "source": data.card["origin"]["source"],
        "data": data.card["content"],
        "code": commit(),
        "program": program(model),
        "versions": versions(),
        "hardware": describe_hardware(device),
        "computes_in": str(compute_dtype(settings, device)).removeprefix("torch."),
        "machine": {key: train_settings[key] for key in MACHINE_ONLY},
    }


def _outcome(state: State, stopped: str, device: torch.device) -> dict[str, Any]:
    """Return the part of run.json that is known after the training."""
    return {
        "epochs": len(state.history),
        "best_epoch": state.best_epoch,
        "seconds": round(state.seconds, 2),
        "images_per_s": round(state.items / max(state.seconds, 1e-9), 2),
        "peak_memory_mb": peak_memory_mb(device),
        "stopped": stopped,
    }


def _explain(error: RuntimeError, model: str, settings: TrainSettings, data: prepared.Prepared) -> str:
    """Return a message for the user about an error raised by torch, or an empty string if it is unknown."""
    if "does not have a deterministic implementation" in str(error):
        return (
            f"{model} cannot be trained with train.deterministic on this device ({str(error).partition('.')[0]}): set "
            "it to false in params.yaml."
        )
    texts = ("can't allocate memory", "MPS backend out of memory")  # on a CPU, on an Apple GPU
    if not isinstance(error, torch.OutOfMemoryError) and not any(text in str(error) for text in texts):
        return ""
    side = data.images.shape[1]
    hint = "lower train.batch or prepare.image_size in params.yaml"
    if settings.micro_batch > 2:
        hint = (
            f"set train.accumulate to {2 * settings.accumulate} in params.yaml, which computes each batch in that many "
            "parts and keeps its size (this setting is part of the protocol: use the same value for all cells to be "
            "ranked together)"
        )
    return f"out of memory with {settings.micro_batch} images of {side}x{side} px at once: {hint}."
