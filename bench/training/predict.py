"""Predict the test images: probability maps and, if the model has them, gates."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bench.errors import UserError
from bench.formats import predictions, prepared
from bench.training.loader import load_resident
from bench.training.precision import autocast
from bench.training.settings import TrainSettings

GATED_ITEMS = 4
"""Number of test items whose gates are written: enough to choose one for figure 7."""


@torch.no_grad()
def predict(
    network: nn.Module, data: prepared.Prepared, folder: Path, settings: TrainSettings, device: torch.device
) -> None:
    """Write the probability of crack for every test item and, with several classes, the class of each pixel.

    The classes are in the folder ``classes`` beside ``folder``.
    """
    network.eval()
    rows = data.split("test")
    names = iter(data.items["item"].iloc[rows])
    for images, _ in load_resident(data, rows, device).batches(settings.predict_batch):
        with autocast(settings, device):
            logits = network(images).float()
        crack_classes = likeliest_crack_class(logits).cpu().numpy() if logits.shape[1] > 1 else [None] * len(logits)
        for prob, crack_class in zip(crack_probability(logits).cpu().numpy(), crack_classes, strict=True):
            name = next(names)
            if not np.isfinite(prob).all():
                raise UserError(f"the network's output for {name} is NaN or infinite: set train.precision to float32.")
            predictions.write_one(folder, name, levels := predictions.quantise(prob))
            if crack_class is not None:
                classes = predictions.classes_of(levels, crack_class)
                predictions.write_one(folder.with_name(predictions.CLASSES), name, classes)


@torch.no_grad()
def write_gates(network: nn.Module, data: prepared.Prepared, folder: Path, device: torch.device) -> None:
    """Write the gates for the first test items as ``<side in px>/<item>.png``, floor(256 g), if the network has any.

    With these files, the report can draw figure 7 without the weights.
    """
    if not getattr(network, "has_gates", False):
        return
    rows = data.split("test")[:GATED_ITEMS]
    names = data.items["item"].iloc[rows]
    network.eval()
    images, _ = next(iter(load_resident(data, rows, device).batches(GATED_ITEMS)))
    for gate in network.gates(images):  # type: ignore[operator]
        for name, values in zip(names, gate[:, 0].float().cpu().numpy(), strict=True):
            predictions.write_one(folder / str(values.shape[0]), name, predictions.quantise(values))


def crack_probability(logits: Tensor) -> Tensor:
    """Return the probability of crack, (B, H, W).

    With several classes it is that of the likeliest class other than background, against background: above one half
    exactly where argmax is not background, so that training, prediction and scores decide alike.
    """
    if logits.shape[1] == 1:
        return logits[:, 0].sigmoid()
    return (logits[:, 1:].amax(1) - logits[:, 0]).sigmoid()


def likeliest_crack_class(logits: Tensor) -> Tensor:
    """Return the number of the likeliest class other than background, uint8 (B, H, W), of two logits or more."""
    return (1 + logits[:, 1:].argmax(1)).to(torch.uint8)
