"""When checkpoints are saved, and that a state whose loss is NaN or infinite never is."""

import json
from collections.abc import Callable
from pathlib import Path
from signal import SIGTERM
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from bench.errors import UserError
from bench.formats import prepared
from bench.training import saver as module
from bench.training.saver import CHECKPOINT_SHARE, WORTH_SAVING_S, Saver
from bench.training.state import SUMS, State

IDENTITY = {"cell": "cfd/unet/0"}


def new_state() -> State:
    network = nn.Conv2d(1, 1, 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.25)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    return State(network, optimizer, scheduler, GradScaler("cpu", enabled=False), torch.zeros(len(SUMS)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time in seconds, to be changed by the test."""
    now = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def saver(
    tmp_path: Path, make_prepared: Callable[..., Path], train_settings: Callable[..., Any], clock: list[float]
) -> Saver:
    folder = tmp_path / "run"
    folder.mkdir()
    settings = train_settings(checkpoint_minutes=2)
    return Saver(new_state(), prepared.read(make_prepared()), settings, folder, IDENTITY)


def step(saver: Saver, number: int, loss: float) -> None:
    batch: Any = SimpleNamespace(step=number, rows=[number, number + 1])
    saver.add(batch, torch.tensor(loss))


def test_a_checkpoint_is_due_after_the_minutes_of_the_settings(saver: Saver, clock: list[float]) -> None:
    assert not saver.is_due()
    clock[0] += 121
    assert saver.is_due()
    saver.save()
    assert not saver.is_due()


def test_slow_checkpoints_become_rare(saver: Saver, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saver.state, "save", lambda *_: clock.__setitem__(0, clock[0] + 10))
    saver.save()
    clock[0] += 10 / CHECKPOINT_SHARE - 1
    assert not saver.is_due()
    clock[0] += 2
    assert saver.is_due()


def test_a_saved_state_can_be_resumed_with_the_time_spent(saver: Saver, clock: list[float]) -> None:
    saver.state.epoch, saver.state.history = 3, [{}, {}]
    clock[0] += 40
    saver.save()
    other = new_state()
    assert other.resume(saver.folder, IDENTITY)
    assert (other.epoch, other.seconds) == (3, 40)
    later = Saver(other, saver.data, saver.settings, saver.folder, IDENTITY)
    clock[0] += 5
    later.finish()
    assert other.seconds == 45


@pytest.mark.parametrize(("age_s", "is_saved"), [(WORTH_SAVING_S - 1, False), (WORTH_SAVING_S + 1, True)])
def test_the_end_is_saved_only_if_the_last_checkpoint_is_old(
    saver: Saver, clock: list[float], age_s: float, is_saved: bool
) -> None:
    clock[0] += age_s
    saver.finish()
    assert new_state().resume(saver.folder, IDENTITY) == is_saved
    assert saver.state.seconds == age_s


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_the_first_bad_loss_is_reported_and_nothing_is_saved(saver: Saver, loss: float) -> None:
    for number, value in enumerate((0.5, loss, loss)):
        step(saver, number, value)
    with pytest.raises(UserError, match=r"epoch 1, step 1, at learning rate 0\.25"):
        saver.save()
    expected = {"epoch": 1, "step": 1, "lr": 0.25, "items": ["CFD_001", "CFD_002"]}
    assert json.loads((saver.folder / "nan.json").read_text()) == expected
    assert not new_state().resume(saver.folder, IDENTITY)


def test_good_losses_are_checked_once(saver: Saver) -> None:
    step(saver, 0, 0.5)
    saver.check_losses()
    assert saver.unchecked == []
    saver.check_losses()
    assert not (saver.folder / "nan.json").exists()


def test_an_interruption_names_the_signal_and_the_folder(saver: Saver) -> None:
    assert f"stopped by SIGTERM: the next run resumes from {saver.folder}" in str(saver.interrupted(SIGTERM))
