"""The training loop: steps, validation, learning rate, early stop, checkpoints. Reads from top to bottom."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from tqdm import tqdm

from bench.errors import Interrupted, UserError
from bench.formats import files
from bench.stages._feed import hold, train_batches
from bench.stages._state import SUMS, State

if TYPE_CHECKING:
    from bench.formats.prepared import Prepared
    from bench.learning.loss import Loss
    from bench.stages._feed import Held, TrainBatch
    from bench.stages.train import Settings

CHECKPOINT_SHARE = 0.02
"""Largest share of the run that checkpoints may take."""


def fit(
    network: nn.Module,
    data: Prepared,
    criterion: Loss,
    seed: int,
    settings: Settings,
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
        UserError: the loss is no number any more, or the device is out of memory.
        Interrupted: SIGTERM or SIGINT; a checkpoint was written.
    """
    torch.manual_seed(seed)
    state = start(network, settings, device)
    if state.resume(checkpoints, identity):
        tqdm.write(f"going on from {checkpoints}: epoch {state.epoch}, step {state.step}", file=sys.stderr)
    held = hold(data, data.split(settings.select_on), device)
    batches = train_batches(data, settings, seed, (state.epoch, state.step), device)
    began, saved_at, save_seconds = time.monotonic() - state.seconds, time.monotonic(), 0.0
    trace: list[tuple[TrainBatch, Tensor]] = []
    with _signals() as asked, _bar(state, settings, len(data.split("train"))) as bar:
        while not _stopped(state, settings):
            batch = next(batches)
            trace.append((batch, step(state, batch, criterion, settings, device)))
            state.step += 1
            state.items += len(batch.rows)
            bar.update(len(batch.rows))
            due = time.monotonic() - saved_at > max(60 * settings.checkpoint_minutes, save_seconds / CHECKPOINT_SHARE)
            if batch.last or due or asked:
                _check_losses(trace, data, state, checkpoints)
                trace.clear()
            if batch.last:
                _end_epoch(state, held, criterion, settings, device)
                bar.set_postfix(_summary(state))
            if due or asked:
                state.seconds = time.monotonic() - began
                before = time.monotonic()
                state.save(checkpoints, identity)
                saved_at = time.monotonic()
                save_seconds = saved_at - before
            if asked:
                raise Interrupted(f"stopped by {asked[0].name}: the next run goes on from {checkpoints}", asked[0])
    state.seconds = time.monotonic() - began
    network.load_state_dict(state.best)
    return state, _stopped(state, settings)


@torch.no_grad()
def measure(network: nn.Module, held: Held, criterion: Loss, settings: Settings, device: torch.device) -> Tensor:
    """Return loss, tp, fp, fn and items, ``SUMS``, added up over the items as they are, without augmentation."""
    network.eval()
    sums = torch.zeros(len(SUMS), dtype=torch.float64, device=device)
    for images, masks in held.batches(settings.batch):
        with autocast(settings, device):
            logits = network(images)
        _add(sums, criterion(logits.float(), masks), logits, masks)
    return sums


def autocast(settings: Settings, device: torch.device) -> torch.autocast:
    """Return the context of mixed precision: bfloat16, or float16 on GPUs without it; off on a CPU."""
    return torch.autocast(device.type, dtype=_half(device), enabled=_is_mixed(settings, device))


def start(network: nn.Module, settings: Settings, device: torch.device) -> State:
    """Return the state before the first step."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=settings.plateau.factor, patience=settings.plateau.patience
    )
    scaled = _is_mixed(settings, device) and _half(device) == torch.float16
    scaler = GradScaler(device.type, enabled=scaled)
    return State(network, optimizer, scheduler, scaler, torch.zeros(len(SUMS), dtype=torch.float64, device=device))


def step(state: State, batch: TrainBatch, criterion: Loss, settings: Settings, device: torch.device) -> Tensor:
    """Make one optimiser step and return the batch's loss, on the device: nothing here waits for it."""
    state.network.train()
    state.optimizer.zero_grad(set_to_none=True)
    total = torch.zeros((), device=device)
    parts = zip(batch.images.chunk(settings.accumulate), batch.masks.chunk(settings.accumulate), strict=True)
    for images, masks in parts:
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
    sums += torch.stack([losses.sum().double(), *(c.double() for c in counts), sums.new_tensor(len(losses))])


def _end_epoch(state: State, held: Held, criterion: Loss, settings: Settings, device: torch.device) -> None:
    """Validate, note the epoch, keep the weights if they are the best, lower the learning rate on a plateau."""
    train, val = _loss_and_iou(state.sums), _loss_and_iou(measure(state.network, held, criterion, settings, device))
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


def _stopped(state: State, settings: Settings) -> str:
    """Return why the training is over, or an empty string."""
    if state.epoch > settings.epochs:
        return "all epochs done"
    if state.best_epoch and state.epoch - 1 - state.best_epoch >= settings.stop_patience:
        return f"no better loss for {settings.stop_patience} epochs"
    return ""


def _check_losses(trace: list[tuple[TrainBatch, Tensor]], data: Prepared, state: State, folder: Path) -> None:
    """Refuse to go on from, or to save, a state whose loss is no number.

    Raises:
        UserError: names epoch, step, learning rate and the batch's items, which nan.json keeps.
    """
    if not trace:
        return
    bad = (~torch.stack([loss for _, loss in trace]).isfinite()).nonzero().flatten().tolist()
    if not bad:
        return
    batch = trace[bad[0]][0]
    items = data.items["item"].iloc[batch.rows].tolist()
    report = {"epoch": batch.epoch, "step": batch.step, "lr": state.optimizer.param_groups[0]["lr"], "items": items}
    files.write_json(folder / "nan.json", report)
    raise UserError(
        f"the loss became {trace[bad[0]][1].item()} in epoch {batch.epoch}, step {batch.step}, at learning rate "
        f"{report['lr']:g}; the batch's items are in {folder / 'nan.json'}. Lower train.lr, or set train.precision to "
        "float32."
    )


def _half(device: torch.device) -> torch.dtype:
    return torch.bfloat16 if device.type == "cpu" or torch.cuda.is_bf16_supported() else torch.float16


def _is_mixed(settings: Settings, device: torch.device) -> bool:
    return settings.precision == "mixed" and device.type == "cuda"


def _bar(state: State, settings: Settings, items: int) -> tqdm[Any]:
    """Return a progress bar in images."""
    return tqdm(total=settings.epochs * items, initial=state.items, unit="image", desc="train", smoothing=0.05)


def _summary(state: State) -> dict[str, str]:
    """Return what the progress bar says after an epoch."""
    row = state.history[-1]
    return {"epoch": f"{row['epoch']}", "loss": f"{row['val_loss']:.4f}", "IoU": f"{row['val_iou']:.4f}"}


@contextmanager
def _signals() -> Iterator[list[signal.Signals]]:
    """Yield a list that SIGTERM and the first SIGINT are put into; a second SIGINT ends the process at once."""
    asked: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(signal.Signals(number))

    old = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
