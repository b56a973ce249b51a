"""State of a training: what a checkpoint carries from one machine to another."""

from pathlib import Path

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from bench.training.state import SUMS, State


def stepped(layout: torch.memory_format, scaled: bool = False) -> State:
    """Return the state of a convolution in a memory layout, after two steps on the same images."""
    torch.manual_seed(0)
    network = nn.Conv2d(4, 6, 3).to(memory_format=layout)
    optimizer = torch.optim.AdamW(network.parameters())
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    state = State(network, optimizer, scheduler, GradScaler("cpu", enabled=scaled), torch.zeros(len(SUMS)))
    for _ in range(2):
        step(state)
    return state


def step(state: State) -> None:
    state.optimizer.zero_grad()
    state.scaler.scale(state.network(torch.ones(2, 4, 8, 8)).sum()).backward()
    state.scaler.step(state.optimizer)
    state.scaler.update()


def test_moments_come_back_laid_out_as_their_parameters(tmp_path: Path) -> None:
    before = stepped(torch.channels_last)
    before.save(tmp_path, {"x": 1})
    after = stepped(torch.channels_last)
    assert after.resume(tmp_path, {"x": 1})
    weight = after.network.weight
    for name, moment in after.optimizer.state[weight].items():
        torch.testing.assert_close(moment, before.optimizer.state[before.network.weight][name], rtol=0, atol=0)
        assert name == "step" or moment.stride() == weight.stride()
    step(before), step(after)
    assert torch.equal(before.network.weight, weight)


def test_a_machine_that_scales_gradients_resumes_from_one_that_does_not(tmp_path: Path) -> None:
    stepped(torch.contiguous_format).save(tmp_path, {})
    state = stepped(torch.contiguous_format, scaled=True)
    assert state.resume(tmp_path, {})
    step(state)
    assert state.scaler.get_scale() > 1


def test_dropout_draws_the_same_numbers_after_resuming(tmp_path: Path) -> None:
    dropout, ones = nn.Dropout(0.5), torch.ones(200)
    before = stepped(torch.contiguous_format)
    dropout(ones)
    before.save(tmp_path, {})
    expected = [dropout(ones) for _ in range(2)]
    after = stepped(torch.contiguous_format)
    torch.manual_seed(1)
    assert not torch.equal(dropout(ones), expected[0])
    assert after.resume(tmp_path, {})
    assert all(torch.equal(dropout(ones), drawn) for drawn in expected)
