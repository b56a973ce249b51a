"""The training loop, top to bottom: epochs, steps, validation, learning rate, early stopping."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from signal import Signals
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau
from tqdm import tqdm

from bench import signals
from bench.errors import UserError
from bench.formats.prepared import IGNORED, Prepared
from bench.training.device import exact_device
from bench.training.loader import Resident, TrainBatch, load_resident, train_batches
from bench.training.loss import Loss
from bench.training.order import validation_rows
from bench.training.precision import autocast, compute_dtype
from bench.training.saver import Saver
from bench.training.settings import TrainSettings
from bench.training.state import SUMS, State


def fit(
    network: nn.Module,
    data: Prepared,
    criterion: Loss,
    seed: int,
    settings: TrainSettings,
    device: torch.device,
    checkpoints: Path,
    identity: Mapping[str, Any],
    on_epoch: Callable[[list[dict[str, Any]]], None] = lambda history: None,
) -> tuple[State, str]:
    """Train, load the best epoch's weights into ``network``, and return the final state and why the training ended.

    Args:
        network: on the device.
        data: the prepared dataset.
        criterion: (logits, masks) -> loss of each image, (B,).
        seed: decides order, augmentation and dropout.
        settings: the section ``train`` of params.yaml.
        device: where to compute.
        checkpoints: folder used by this training alone; training resumes from a checkpoint in it.
        identity: what a checkpoint must match to be resumed.
        on_epoch: called after each epoch with the history so far, a row per epoch.

    Raises:
        UserError: a loss is NaN or infinite, or a data loader worker was killed.
        Interrupted: SIGTERM or SIGINT was received; a checkpoint has been written.
    """
    torch.manual_seed(seed)
    state = start(network, settings, device)
    if state.resume(checkpoints, identity):
        tqdm.write(f"resuming from {checkpoints}: epoch {state.epoch}, step {state.step}", file=sys.stderr)
        _say_threads(state, device)
    rows = validation_rows(data.split(settings.select_on), settings.epoch_items)
    resident = load_resident(data, rows, device)
    batches = train_batches(data, settings, seed, (state.epoch, state.step), device)
    saver = Saver(state, data, settings, checkpoints, identity)
    with _bar(state, settings, min(len(data.split("train")), settings.epoch_items or sys.maxsize)) as bar:
        _run_epochs(state, batches, resident, criterion, settings, device, saver, bar, on_epoch)
    saver.finish()
    network.load_state_dict(state.best)
    return state, _stop_reason(state, settings)


def _say_threads(state: State, device: torch.device) -> None:
    """Say that a CPU computes other last bits with another number of threads."""
    if device.type == "cpu" and state.threads != (now := torch.get_num_threads()):
        text = f"begun with {state.threads} CPU threads, resumed with {now}: the last bits may differ from a training "
        tqdm.write(text + f"without interruption; train.threads: {state.threads} keeps them", file=sys.stderr)


def _run_epochs(
    state: State,
    batches: Iterator[TrainBatch],
    resident: Resident,
    criterion: Loss,
    settings: TrainSettings,
    device: torch.device,
    saver: Saver,
    bar: "tqdm[Any]",
    on_epoch: Callable[[list[dict[str, Any]]], None],
) -> None:
    """Train until all epochs are done or the loss stops improving; save when due, and when a signal arrives."""
    with signals.deferred(abort_on_second=True) as received:
        while not _stop_reason(state, settings):
            batch = _next_batch(batches, received, saver)
            saver.add(batch, step(state, batch, criterion, settings, device))
            state.step += 1
            state.items += len(batch.rows)
            bar.update(len(batch.rows))
            due = saver.is_due()
            if batch.last:
                saver.check_losses()
                _end_epoch(state, resident, criterion, settings, device)
                bar.set_postfix(_summary(state))
                on_epoch(state.history)
            if due or received:
                saver.save()
            if received:
                raise saver.interrupted(received[0])


def _next_batch(batches: Iterator[TrainBatch], received: list[Signals], saver: Saver) -> TrainBatch:
    """Return the next batch; if a signal ended the workers too, save and stop."""
    try:
        return next(batches)
    except UserError:
        if not received:
            raise
        saver.save()
        raise saver.interrupted(received[0]) from None


@torch.no_grad()
def validation_loss(
    network: nn.Module, resident: Resident, criterion: Loss, settings: TrainSettings, device: torch.device
) -> Tensor:
    """Return ``SUMS`` (loss, tp, fp, fn, items) over the items, without augmentation."""
    network.eval()
    sums = torch.zeros(len(SUMS), dtype=torch.float64, device=exact_device(device))
    for images, masks in resident.batches(settings.predict_batch):
        with autocast(settings, device):
            logits = network(images)
        _accumulate(sums, criterion(logits.float(), masks), logits, masks)
    return sums


def start(network: nn.Module, settings: TrainSettings, device: torch.device) -> State:
    """Return the state before the first step."""
    # fused: one pass over the weights, where the default makes a dozen
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, fused=True)
    scheduler: CosineAnnealingLR | ReduceLROnPlateau
    if settings.schedule == "cosine":
        scheduler = CosineAnnealingLR(optimizer, settings.epochs)
    else:
        scheduler = ReduceLROnPlateau(optimizer, factor=settings.plateau.factor, patience=settings.plateau.patience)
    scaler = GradScaler(device.type, enabled=compute_dtype(settings, device) == torch.float16)
    sums = torch.zeros(len(SUMS), dtype=torch.float64, device=exact_device(device))
    return State(network, optimizer, scheduler, scaler, sums)


def step(state: State, batch: TrainBatch, criterion: Loss, settings: TrainSettings, device: torch.device) -> Tensor:
    """Make one optimiser step and return the loss of the batch, on the device, without synchronising."""
    state.network.train()
    state.optimizer.zero_grad(set_to_none=True)
    total = torch.zeros((), device=device)
    parts = min(settings.accumulate, len(batch.rows) // 2)  # the last batch may be small; two images at least in each
    for images, masks in zip(batch.images.tensor_split(parts), batch.masks.tensor_split(parts), strict=True):
        with autocast(settings, device):
            logits = state.network(images)
        losses = criterion(logits.float(), masks)
        loss = losses.sum() / len(batch.rows)
        state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
        _accumulate(state.sums, losses, logits, masks)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    return total


@torch.no_grad()
def _accumulate(sums: Tensor, losses: Tensor, logits: Tensor, masks: Tensor) -> None:
    """Add one batch to ``sums``; with several classes, all but the first count as crack."""
    pred = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1) > 0
    known = masks != IGNORED
    true, pred = (masks > 0) & known, pred & known
    counts = [losses.sum(), (pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum()]
    sums += torch.stack([*(c.to(sums.device).double() for c in counts), sums.new_full((), len(losses))])


def _end_epoch(
    state: State, resident: Resident, criterion: Loss, settings: TrainSettings, device: torch.device
) -> None:
    """Validate, record the epoch, keep the weights if they are the best, and change the learning rate."""
    train = _loss_and_iou(state.sums)
    val = _loss_and_iou(validation_loss(state.network, resident, criterion, settings, device))
    if not math.isfinite(val[0]):
        raise UserError(
            f"the loss on the {settings.select_on} items became {val[0]} in epoch {state.epoch}: lower train.lr."
        )
    row = {"epoch": state.epoch, "lr": state.optimizer.param_groups[0]["lr"]}
    state.history.append(row | {"train_loss": train[0], "train_iou": train[1], "val_loss": val[0], "val_iou": val[1]})
    if val[0] < state.best_loss:
        state.best_loss, state.best_epoch = val[0], state.epoch
        state.keep_best()
    if isinstance(state.scheduler, CosineAnnealingLR):
        state.scheduler.step()
    else:
        state.scheduler.step(val[0])
    state.sums.zero_()
    state.epoch, state.step = state.epoch + 1, 0


def _loss_and_iou(sums: Tensor) -> tuple[float, float]:
    """Return the mean loss and the pooled crack IoU; 0 where neither truth nor prediction has crack."""
    loss, tp, fp, fn, items = sums.tolist()
    return loss / items, tp / max(tp + fp + fn, 1)


def _stop_reason(state: State, settings: TrainSettings) -> str:
    """Return why the training ends here, or an empty string if it continues."""
    if state.epoch > settings.epochs:
        return "all epochs done"
    if state.best_epoch and state.epoch - 1 - state.best_epoch >= settings.stop_patience:
        return f"no better loss for {settings.stop_patience} epochs"
    return ""


def _bar(state: State, settings: TrainSettings, items: int) -> "tqdm[Any]":
    """Return a progress bar that counts images."""
    return tqdm(total=settings.epochs * items, initial=state.items, unit="image", desc="train", smoothing=0.05)


def _summary(state: State) -> dict[str, str]:
    """Return what the progress bar shows after an epoch."""
    row = state.history[-1]
    return {"epoch": f"{row['epoch']}", "loss": f"{row['val_loss']:.4f}", "IoU": f"{row['val_iou']:.4f}"}
