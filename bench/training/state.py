"""The complete state of a training, saved and restored bit for bit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau

from bench.formats import checkpoint

SUMS = ("loss", "tp", "fp", "fn", "items")


@dataclass
class State:
    """One training; ``save`` and ``resume`` preserve it across interruptions.

    Attributes:
        network: on its device.
        optimizer: AdamW.
        scheduler: of the learning rate, stepped after each epoch.
        scaler: gradient scaler; enabled for float16 only.
        sums: ``SUMS`` of the current epoch so far, float64, on the device.
        best: weights of the best epoch so far.
        epoch: the next step's epoch, from 1.
        step: the next step, from 0 within the epoch.
        history: one row per finished epoch.
        best_epoch: 0 before the first epoch ends.
        best_loss: loss of the best epoch on the split that selects the checkpoint.
        seconds: training time so far, over all attempts.
        items: training images seen so far.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: CosineAnnealingLR | ReduceLROnPlateau
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
        """Keep a copy of the current weights as the best ones."""
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
        """Restore the last checkpoint; return whether there was one."""
        loaded = checkpoint.load(folder, identity)
        if loaded is None:
            return False
        tensors, facts = loaded
        self.network.load_state_dict(_with_prefix("network.", tensors))
        self.best = {k: v.to(self.sums.device) for k, v in _with_prefix("best.", tensors).items()}
        self._restore_optimizer(_with_prefix("optimizer.", tensors), facts["groups"])
        self.scheduler.load_state_dict(facts["scheduler"])
        if facts["scaler"]:  # empty if the checkpoint was made in another data type
            self.scaler.load_state_dict(facts["scaler"])
        self.sums.copy_(tensors["sums"])
        for name in self.FACTS:
            setattr(self, name, facts["state"][name])
        torch.set_rng_state(tensors["random.cpu"])
        if self.sums.is_cuda and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], self.sums.device)
        return True

    def _restore_optimizer(self, tensors: Mapping[str, Tensor], groups: list[dict[str, Any]]) -> None:
        """Load the optimiser's tensors, named ``<index of the parameter>.<key>``, and its parameter groups."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, _, key = name.partition(".")
            if tensor.ndim:  # a moment: the fused step requires the memory layout of its parameter
                tensor = torch.empty_like(parameters[int(index)]).copy_(tensor)
            slots.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name starts with ``prefix``, under the rest of their name."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
