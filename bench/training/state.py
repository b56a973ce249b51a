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
from bench.training.device import random_state, restore_random_state

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
        threads: CPU threads when the training began.
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
    threads: int = field(default_factory=torch.get_num_threads)

    FACTS = ("epoch", "step", "history", "best_epoch", "best_loss", "seconds", "items")

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def keep_best(self) -> None:
        """Keep a copy of the current weights as the best ones."""
        self.best = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def save(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Write a checkpoint."""
        optimizer = self.optimizer.state_dict()
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        tensors |= {f"optimizer.{i}.{k}": v for i, slot in optimizer["state"].items() for k, v in slot.items()}
        tensors |= {"sums": self.sums}
        tensors |= {f"random.{kind}": state for kind, state in random_state(self.device).items()}
        facts = {
            "identity": dict(identity),
            "state": {name: getattr(self, name) for name in self.FACTS},
            "groups": optimizer["param_groups"],
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
            "threads": self.threads,
        }
        checkpoint.save(folder, {k: v.cpu().contiguous() for k, v in tensors.items()}, facts, self.items)

    def resume(self, folder: Path, identity: Mapping[str, Any]) -> bool:
        """Restore the last checkpoint; return whether there was one.

        Raises:
            UserError: see `bench.formats.checkpoint.load`; or its content is not that of this training.
        """
        loaded = checkpoint.load(folder, identity)
        if loaded is None:
            return False
        try:
            self._restore(loaded.tensors, loaded.facts)
        except torch.OutOfMemoryError:
            raise
        except KeyError as error:
            raise checkpoint.foreign(loaded.path, f"it lacks {error}") from error
        except (IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise checkpoint.foreign(loaded.path, error) from error
        return True

    def _restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Take over tensors and metadata; both are checked, as torch broadcasts and keeps what it is not given.

        Raises:
            KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError: they are not of this training.
        """
        weights, best = (_with_prefix(prefix, tensors) for prefix in ("network.", "best."))
        _require_shapes(best, weights if facts["state"]["best_epoch"] else {}, "best weights")
        _require_shapes({"sums": tensors["sums"]}, {"sums": self.sums}, "sums")
        self.network.load_state_dict(weights)
        self.best = {k: v.to(self.device) for k, v in best.items()}
        self._restore_optimizer(_with_prefix("optimizer.", tensors), facts["groups"])
        _require_alike(facts["scheduler"], self.scheduler.state_dict(), "scheduler")
        self.scheduler.load_state_dict(facts["scheduler"])
        if facts["scaler"]:  # empty if the checkpoint was made in another data type
            _require_alike(facts["scaler"], self.scaler.state_dict() or facts["scaler"], "scaler")
            self.scaler.load_state_dict(facts["scaler"])
        self.sums.copy_(tensors["sums"])
        for name in self.FACTS:
            setattr(self, name, facts["state"][name])
        self.threads = facts.get("threads", self.threads)
        restore_random_state(_with_prefix("random.", tensors), self.device)

    def _restore_optimizer(self, tensors: Mapping[str, Tensor], groups: list[dict[str, Any]]) -> None:
        """Load the optimiser's tensors, named ``<index of the parameter>.<key>``, and its parameter groups."""
        for saved, own in zip(groups, self.optimizer.state_dict()["param_groups"], strict=True):
            _require_alike(saved, own, "groups")
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, _, key = name.partition(".")
            if key not in ("step", "exp_avg", "exp_avg_sq"):
                raise ValueError(f"the optimiser has no {key}")
            if tensor.ndim:  # a moment: the fused step requires the memory layout of its parameter
                _require_shapes({name: tensor}, {name: parameters[int(index)]}, "moments")
                tensor = torch.empty_like(parameters[int(index)]).copy_(tensor)
            slots.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name starts with ``prefix``, under the rest of their name."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _require_shapes(saved: Mapping[str, Tensor], own: Mapping[str, Tensor], name: str) -> None:
    """Refuse tensors of other names or shapes."""
    if {k: v.shape for k, v in saved.items()} != {k: v.shape for k, v in own.items()}:
        raise ValueError(f"its {name} have other names or shapes than those of this training")


def _require_alike(saved: Mapping[str, Any], own: Mapping[str, Any], name: str) -> None:
    """Refuse metadata with other keys or types; keys that start with _ may be missing, as older versions lack some."""
    public = {key for key in own if not key.startswith("_")}
    if not public <= saved.keys() <= own.keys():
        raise ValueError(f"the keys of its {name} differ: {', '.join(sorted(public ^ saved.keys()))}")
    for key, value in saved.items():
        if _kind(value) != _kind(own[key]):
            raise TypeError(f"{key} in its {name} is {value!r}")


def _kind(value: Any) -> object:
    """Return the type of a value as JSON has it: numbers of one kind, tuples as lists, lists by length and content."""
    if isinstance(value, list | tuple):
        return [_kind(item) for item in value]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
