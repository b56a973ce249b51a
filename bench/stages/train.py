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
from bench.formats import files, prepared
from bench.formats import run as run_format
from bench.formats.protocol import MACHINE_ONLY, protocol
from bench.training.device import keep_freed_memory, peak_memory_mb, pick_device
from bench.training.loop import fit
from bench.training.loss import Loss, binary_loss, inverse_frequency, multiclass_loss
from bench.training.precision import computes_in
from bench.training.predict import predict, write_gates
from bench.training.provenance import commit, describe_hardware, program, versions
from bench.training.settings import TrainSettings as TrainSettings  # the stage's section of params.yaml
from bench.training.state import State


def run(source: Path, target: Path, model: str, seed: int, settings: TrainSettings) -> None:
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
    configure(settings, seed)
    record = _record(data, model, seed, settings, device)
    checkpoints = target.with_name(f".{target.name}.checkpoint")
    identity = {key: record[key] for key in ("dataset", "model", "seed", "protocol", "data", "program")}
    try:
        network = build_network(data, model, settings, device)
        criterion = build_loss(data, settings, device)
        state, stopped = fit(network, data, criterion, seed, settings, device, checkpoints, identity)
        (target / "run.json").unlink(missing_ok=True)  # of an earlier training: what it vouches for goes now
        for name in ("probabilities", "gates"):
            shutil.rmtree(target / name, ignore_errors=True)
        predict(network, data, target / "probabilities", settings, device)
        write_gates(network, data, target / "gates", device)
    except RuntimeError as error:
        if explanation := _explain(error, model, settings, data):
            raise UserError(explanation) from error
        raise
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with files.atomic_write(target / "weights.safetensors") as temporary:
        try:
            save_file(weights, temporary)
        except SafetensorError as error:
            raise UserError(
                f"{target / 'weights.safetensors'} cannot be written ({error}): free space there and run again; a "
                f"training of over a minute goes on from {checkpoints}."
            ) from error
    run_format.write(target, record | _outcome(state, stopped, device), pd.DataFrame(state.history))
    shutil.rmtree(checkpoints, ignore_errors=True)


def _require_split(data: prepared.Prepared, settings: TrainSettings, source: Path) -> None:
    """Refuse a dataset without the items that the settings need."""
    for name, least in (("train", 2), ("test", 1), (settings.select_on, 1)):
        if len(data.split(name)) < least:
            raise UserError(
                f"{source} has {len(data.split(name))} {name} items, at least {least} are needed: "
                "change prepare.test_share, prepare.validation_share or train.select_on in params.yaml."
            )


def configure(settings: TrainSettings, seed: int) -> None:
    """Set what is global to the process: memory, threads, determinism, the seed that initial weights come from."""
    if pick_device(settings.device).type == "cpu":
        keep_freed_memory()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(settings.deterministic)
    # filling costs a CPU up to 5 %, and nothing here reads what was never written
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not settings.deterministic
    torch.backends.cudnn.allow_tf32 = settings.precision != "float32"  # whose mantissa has 10 bits, not 23
    torch.manual_seed(seed)


def build_network(data: prepared.Prepared, model: str, settings: TrainSettings, device: torch.device) -> nn.Module:
    """Return the network on the device; channels last, as the images are: convolutions are faster so, on CPUs too."""
    side, classes = data.images.shape[1], data.card["classes"]
    network: nn.Module = plugins.build_network(model, 3, classes, side, settings.encoder, settings.weights)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if settings.compile:
        network.compile()
    return network


def build_loss(data: prepared.Prepared, settings: TrainSettings, device: torch.device) -> Loss:
    """Return the loss of each image for the dataset's classes."""
    classes = data.card["classes"]
    if classes == 1:
        return lambda logits, masks: binary_loss(logits, masks, settings.loss)
    frequency = inverse_frequency(data.masks[data.split("train")], classes)
    weights = torch.tensor(frequency, dtype=torch.float32, device=device)
    return lambda logits, masks: multiclass_loss(logits, masks, weights, settings.loss)


def _record(
    data: prepared.Prepared, model: str, seed: int, settings: TrainSettings, device: torch.device
) -> dict[str, Any]:
    """Return what is known of a run before it starts."""
    recorded, hashed = protocol(data.card, given := asdict(settings))
    return {
        "dataset": data.card["dataset"],
        "model": model,
        "model_name": plugins.load("models", model).NAME,
        "classes": data.card["classes"],
        "seed": seed,
        "protocol": hashed,
        "settings": recorded,
        "source": data.card["origin"]["source"],
        "data": data.card["content"],
        "code": commit(),
        "program": program(model),
        "versions": versions(),
        "hardware": describe_hardware(device),
        "computes_in": str(computes_in(settings, device)).removeprefix("torch."),
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


def _explain(error: RuntimeError, model: str, settings: TrainSettings, data: prepared.Prepared) -> str:
    """Return what to do about an error of torch's, or an empty string."""
    if "does not have a deterministic implementation" in str(error):
        return (
            f"{model} cannot be trained with train.deterministic on this device ({str(error).partition('.')[0]}): set "
            "it to false in params.yaml."
        )
    if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):  # a CPU's words
        return ""
    side = data.images.shape[1]
    cure = "lower train.batch or prepare.image_size in params.yaml"
    if settings.part > 2:
        cure = (
            f"set train.accumulate to {2 * settings.accumulate} in params.yaml, which computes each batch in that many "
            "parts and keeps its size (it is a part of the protocol: set it for all cells to be ranked together)"
        )
    return f"out of memory with {settings.part} images of {side}x{side} px at once: {cure}."
