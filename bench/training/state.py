"""All that a training is at one moment, saved and resumed to the bit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from bench.formats import checkpoint

SUMS = ("loss", "tp", "fp", "fn", "items")


@dataclass
class State:
    """One training; ``save`` and ``resume`` carry it over any interruption.

    Attributes:
        network: on its device.
        optimizer: AdamW.
        scheduler: on plateau.
        scaler: of the gradients where they are float16; else it does nothing.
        sums: what the running epoch added up to so far, ``SUMS``, float64, on the device.
        best: weights of the best epoch so far.
        epoch: the one to go on with, from 1.
        step: the one to go on with, from 0 within the epoch.
        history: a row per finished epoch.
        best_epoch: 0 before the first.
        best_loss: on the split the checkpoint is chosen on.
        seconds: spent so far, all attempts together.
        items: training images seen so far.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.ReduceLROnPlateau
    scaler: GradScaler
    sums: Tensor
    best: dict[str, Tensor] = field(default_factory=dict)
    epoch: int = 1
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = math.inf
    seconds: float = 0.0
    items: int = 0

    FACTS = ("epoch", "step", "history", "best_epoch", "best_loss", "seconds", "items")

    def keep_best(self) -> None:
        """Copy the weights as they are now."""
        self.best = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def save(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Write a checkpoint."""
        optimizer = self.optimizer.state_dict()
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        tensors |= {f"optimizer.{i}.{k}": v for i, slot in optimizer["state"].items() for k, v in slot.items()}
        tensors |= {"sums": self.sums, "random.cpu": torch.get_rng_state()}
        if self.sums.is_cuda:
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.sums.device)
        facts = {
            "identity": dict(identity),
            "state": {name: getattr(self, name) for name in self.FACTS},
            "groups": optimizer["param_groups"],
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        checkpoint.save(folder, {k: v.cpu().contiguous() for k, v in tensors.items()}, facts, self.items)

    def resume(self, folder: Path, identity: Mapping[str, Any]) -> bool:
        """Go back to the last checkpoint; return whether there was one."""
        found = checkpoint.load(folder, identity)
        if found is None:
            return False
        tensors, facts = found
        self.network.load_state_dict(_below("network.", tensors))
        self.best = {k: v.to(self.sums.device) for k, v in _below("best.", tensors).items()}
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below("optimizer.", tensors).items():
            index, _, key = name.partition(".")
            if tensor.ndim:  # a moment: laid out in memory as its parameter, which the fused step takes for granted
                tensor = torch.empty_like(parameters[int(index)]).copy_(tensor)
            slots.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": slots, "param_groups": facts["groups"]})
        self.scheduler.load_state_dict(facts["scheduler"])
        if facts["scaler"]:  # of a machine that computed in another type it is empty
            self.scaler.load_state_dict(facts["scaler"])
        self.sums.copy_(tensors["sums"])
        for name in self.FACTS:
            setattr(self, name, facts["state"][name])
        torch.set_rng_state(tensors["random.cpu"])
        if self.sums.is_cuda and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], self.sums.device)
        return True


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name starts with ``prefix``, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
