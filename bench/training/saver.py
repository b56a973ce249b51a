"""Save checkpoints of a training: decide when one is due, and never save a state whose loss is NaN or infinite."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Any

import torch
from torch import Tensor

from bench.errors import Interrupted, UserError
from bench.formats import files
from bench.formats.prepared import Prepared
from bench.training.loader import TrainBatch
from bench.training.order import Rows
from bench.training.settings import TrainSettings
from bench.training.state import State

CHECKPOINT_SHARE = 0.02
"""Largest share of the training time that checkpoints may take."""

WORTH_SAVING_S = 60
"""A training whose last checkpoint is older than this gets one at its end, in case prediction fails."""


@dataclass
class Saver:
    """The checkpoints of one training.

    Attributes:
        state: of the training.
        data: the prepared dataset.
        settings: the section ``train`` of params.yaml.
        folder: where checkpoints and nan.json are written; used by this training alone.
        identity: what a checkpoint must match to be resumed.
        unchecked: step, rows and loss of each batch since the losses were last checked; losses stay on the device.
    """

    state: State
    data: Prepared
    settings: TrainSettings
    folder: Path
    identity: Mapping[str, Any]
    unchecked: list[tuple[int, Rows, Tensor]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the clock; time spent in earlier attempts counts."""
        self._saved_at = time.monotonic()
        self._began = self._saved_at - self.state.seconds
        self._save_seconds = 0.0

    def add(self, batch: TrainBatch, loss: Tensor) -> None:
        """Keep the loss of a step for the next check."""
        self.unchecked.append((batch.step, batch.rows, loss))

    def is_due(self) -> bool:
        """Return whether the last checkpoint is older than the settings and ``CHECKPOINT_SHARE`` allow."""
        age_s = time.monotonic() - self._saved_at
        return age_s > max(60 * self.settings.checkpoint_minutes, self._save_seconds / CHECKPOINT_SHARE)

    def save(self) -> None:
        """Check the losses, then write a checkpoint.

        Raises:
            UserError: a loss is NaN or infinite, or the disk is full.
        """
        self.check_losses()
        before = time.monotonic()
        self.state.seconds = before - self._began
        self.state.save(self.folder, self.identity)
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - before

    def finish(self) -> None:
        """Write a last checkpoint if the previous one is old, and record the total time in the state."""
        if time.monotonic() - self._saved_at > WORTH_SAVING_S:
            self.save()
        self.state.seconds = time.monotonic() - self._began

    def interrupted(self, by: Signals) -> Interrupted:
        """Return the exception that ends the training after a signal; call ``save`` first."""
        return Interrupted(f"stopped by {by.name}: the next run resumes from {self.folder}", by)

    def check_losses(self) -> None:
        """Check the losses of all steps since the last check.

        Raises:
            UserError: a loss is NaN or infinite; the message names epoch, step and learning rate, and nan.json the
                items of the batch.
        """
        trace = self.unchecked.copy()
        self.unchecked.clear()
        if not trace:
            return
        bad = (~torch.stack([loss for *_, loss in trace]).isfinite()).nonzero().flatten().tolist()
        if not bad:
            return
        step, rows, loss = trace[bad[0]]
        items = self.data.items["item"].iloc[rows].tolist()
        lr = self.state.optimizer.param_groups[0]["lr"]
        files.write_json(self.folder / "nan.json", {"epoch": self.state.epoch, "step": step, "lr": lr, "items": items})
        raise UserError(
            f"the loss became {loss.item()} in epoch {self.state.epoch}, step {step}, at learning rate {lr:g}; the "
            f"items of the batch are in {self.folder / 'nan.json'}. Lower train.lr, or set train.precision to float32."
        )
