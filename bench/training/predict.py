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
    """Write the probability of crack for every test item."""
    network.eval()
    rows = data.split("test")
    names = iter(data.items["item"].iloc[rows])
    for images, _ in load_resident(data, rows, device).batches(settings.micro_batch):
        with autocast(settings, device):
            logits = network(images)
        for prob in _crack_probability(logits.float()).cpu().numpy():
            name = next(names)
            if not np.isfinite(prob).all():
                raise UserError(f"the network's output for {name} is NaN or infinite: set train.precision to float32.")
            predictions.write_one(folder, name, predictions.quantise(prob))


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


def _crack_probability(logits: Tensor) -> Tensor:
    """Return the probability of crack, (B, H, W); with several classes, of any but the first."""
    return logits[:, 0].sigmoid() if logits.shape[1] == 1 else 1 - logits.softmax(1)[:, 0]
