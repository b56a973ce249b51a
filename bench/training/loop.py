"""The training loop: steps, validation, learning rate, early stop, checkpoints. Reads from top to bottom."""

import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from signal import Signals
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from tqdm import tqdm

from bench import signals
from bench.errors import Interrupted, UserError
from bench.formats import files
from bench.formats.prepared import Prepared
from bench.training.loader import Resident, TrainBatch, load_resident, train_batches
from bench.training.loss import Loss
from bench.training.order import Rows
from bench.training.precision import autocast, computes_in
from bench.training.settings import TrainSettings
from bench.training.state import SUMS, State

CHECKPOINT_SHARE = 0.02
"""Largest share of the run that checkpoints may take."""

WORTH_KEEPING_S = 60
"""A training with more than this since its last checkpoint gets one at its end, for predictions may fail."""


def fit(
    network: nn.Module,
    data: Prepared,
    criterion: Loss,
    seed: int,
    settings: TrainSettings,
    device: torch.device,
    checkpoints: Path,
    identity: Mapping[str, Any],
) -> tuple[State, str]:
    """Train, and leave the best epoch's weights in ``network``.

    Args:
        network: on the device.
        data: the prepared dataset.
        criterion: (logits, masks) -> loss of each image, (B,).
        seed: decides order, augmentation and dropout.
        settings: the section ``train`` of params.yaml.
        device: where to compute.
        checkpoints: folder of this training's own; a checkpoint there is gone on from.
        identity: what a checkpoint must agree with.

    Returns:
        The final state and why the training ended.

    Raises:
        UserError: the loss is no number any more, or a worker is gone.
        Interrupted: SIGTERM or SIGINT; a checkpoint was written.
    """
    torch.manual_seed(seed)
    state = start(network, settings, device)
    if state.resume(checkpoints, identity):
        tqdm.write(f"going on from {checkpoints}: epoch {state.epoch}, step {state.step}", file=sys.stderr)
    resident = load_resident(data, data.split(settings.select_on), device)
    batches = train_batches(data, settings, seed, (state.epoch, state.step), device)
    began, saved_at, save_seconds = time.monotonic() - state.seconds, time.monotonic(), 0.0
    trace: list[tuple[int, Rows, Tensor]] = []

    def save() -> float:
        """Write a checkpoint; return the seconds that it took."""
        _check_losses(trace, data, state, checkpoints)
        trace.clear()
        before = time.monotonic()
        state.seconds = before - began
        state.save(checkpoints, identity)
        return time.monotonic() - before

    with signals.noted(second_ends=True) as asked, _bar(state, settings, len(data.split("train"))) as bar:
        while not _stopped(state, settings):
            try:
                batch = next(batches)
            except UserError:
                if not asked:
                    raise
                save()  # the signal went to the workers too, and they are gone
                raise _interrupted(asked[0], checkpoints) from None
            trace.append((batch.step, batch.rows, step(state, batch, criterion, settings, device)))
            state.step += 1
            state.items += len(batch.rows)
            bar.update(len(batch.rows))
            due = time.monotonic() - saved_at > max(60 * settings.checkpoint_minutes, save_seconds / CHECKPOINT_SHARE)
            if batch.last:
                _check_losses(trace, data, state, checkpoints)
                trace.clear()
                _end_epoch(state, resident, criterion, settings, device)
                bar.set_postfix(_summary(state))
            if due or asked:
                save_seconds = save()
                saved_at = time.monotonic()
            if asked:
                raise _interrupted(asked[0], checkpoints)
    if time.monotonic() - saved_at > WORTH_KEEPING_S:
        save()
    state.seconds = time.monotonic() - began
    network.load_state_dict(state.best)
    return state, _stopped(state, settings)


@torch.no_grad()
def validation_loss(
    network: nn.Module, resident: Resident, criterion: Loss, settings: TrainSettings, device: torch.device
) -> Tensor:
    """Return loss, tp, fp, fn and items, ``SUMS``, added up over the items as they are, without augmentation."""
    network.eval()
    sums = torch.zeros(len(SUMS), dtype=torch.float64, device=device)
    for images, masks in resident.batches(settings.part):
        with autocast(settings, device):
            logits = network(images)
        _add(sums, criterion(logits.float(), masks), logits, masks)
    return sums


def start(network: nn.Module, settings: TrainSettings, device: torch.device) -> State:
    """Return the state before the first step; fused: one pass over the weights, where the default makes a dozen."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, fused=True)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=settings.plateau.factor, patience=settings.plateau.patience
    )
    scaler = GradScaler(device.type, enabled=computes_in(settings, device) == torch.float16)
    return State(network, optimizer, scheduler, scaler, torch.zeros(len(SUMS), dtype=torch.float64, device=device))


def step(state: State, batch: TrainBatch, criterion: Loss, settings: TrainSettings, device: torch.device) -> Tensor:
    """Make one optimiser step and return the batch's loss, on the device: nothing here waits for it."""
    state.network.train()
    state.optimizer.zero_grad(set_to_none=True)
    total = torch.zeros((), device=device)
    parts = min(settings.accumulate, len(batch.rows) // 2)  # of two images at least; an epoch may end with fewer
    for images, masks in zip(batch.images.tensor_split(parts), batch.masks.tensor_split(parts), strict=True):
        with autocast(settings, device):
            logits = state.network(images)
        losses = criterion(logits.float(), masks)
        loss = losses.sum() / len(batch.rows)
        state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
        _add(state.sums, losses, logits, masks)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    return total


@torch.no_grad()
def _add(sums: Tensor, losses: Tensor, logits: Tensor, masks: Tensor) -> None:
    """Add one batch to ``sums``; of several classes all but the first count as crack."""
    pred = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1) > 0
    true = masks > 0
    counts = [(pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum()]
    sums += torch.stack([losses.sum().double(), *(c.double() for c in counts), sums.new_full((), len(losses))])


def _end_epoch(
    state: State, resident: Resident, criterion: Loss, settings: TrainSettings, device: torch.device
) -> None:
    """Validate, note the epoch, keep the weights if they are the best, lower the learning rate on a plateau."""
    train, val = (
        _loss_and_iou(state.sums),
        _loss_and_iou(validation_loss(state.network, resident, criterion, settings, device)),
    )
    if not math.isfinite(val[0]):
        raise UserError(
            f"the loss on the {settings.select_on} items became {val[0]} in epoch {state.epoch}: lower train.lr."
        )
    row = {"epoch": state.epoch, "lr": state.optimizer.param_groups[0]["lr"]}
    state.history.append(row | {"train_loss": train[0], "train_iou": train[1], "val_loss": val[0], "val_iou": val[1]})
    if val[0] < state.best_loss:
        state.best_loss, state.best_epoch = val[0], state.epoch
        state.keep_best()
    state.scheduler.step(val[0])
    state.sums.zero_()
    state.epoch, state.step = state.epoch + 1, 0


def _loss_and_iou(sums: Tensor) -> tuple[float, float]:
    """Return the mean loss and the pooled crack IoU; 0 where neither truth nor prediction has crack."""
    loss, tp, fp, fn, items = sums.tolist()
    return loss / items, tp / max(tp + fp + fn, 1)


def _stopped(state: State, settings: TrainSettings) -> str:
    """Return why the training is over, or an empty string."""
    if state.epoch > settings.epochs:
        return "all epochs done"
    if state.best_epoch and state.epoch - 1 - state.best_epoch >= settings.stop_patience:
        return f"no better loss for {settings.stop_patience} epochs"
    return ""


def _check_losses(trace: list[tuple[int, Rows, Tensor]], data: Prepared, state: State, folder: Path) -> None:
    """Refuse to go on from, or to save, a state whose loss is no number.

    Args:
        trace: step, rows and loss of each batch of this epoch since the last check.
        data: the prepared dataset.
        state: of the training.
        folder: where to put nan.json.

    Raises:
        UserError: names epoch, step, learning rate and the batch's items, which nan.json keeps.
    """
    if not trace:
        return
    bad = (~torch.stack([loss for *_, loss in trace]).isfinite()).nonzero().flatten().tolist()
    if not bad:
        return
    number, rows, loss = trace[bad[0]]
    items = data.items["item"].iloc[rows].tolist()
    report = {"epoch": state.epoch, "step": number, "lr": state.optimizer.param_groups[0]["lr"], "items": items}
    files.write_json(folder / "nan.json", report)
    raise UserError(
        f"the loss became {loss.item()} in epoch {state.epoch}, step {number}, at learning rate {report['lr']:g}; the "
        f"batch's items are in {folder / 'nan.json'}. Lower train.lr, or set train.precision to float32."
    )


def _interrupted(by: Signals, checkpoints: Path) -> Interrupted:
    return Interrupted(f"stopped by {by.name}: the next run goes on from {checkpoints}", by)


def _bar(state: State, settings: TrainSettings, items: int) -> "tqdm[Any]":
    """Return a progress bar in images."""
    return tqdm(total=settings.epochs * items, initial=state.items, unit="image", desc="train", smoothing=0.05)


def _summary(state: State) -> dict[str, str]:
    """Return what the progress bar says after an epoch."""
    row = state.history[-1]
    return {"epoch": f"{row['epoch']}", "loss": f"{row['val_loss']:.4f}", "IoU": f"{row['val_iou']:.4f}"}
