"""State of a training: what a checkpoint carries from one machine to another."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler

from bench.errors import UserError
from bench.formats import checkpoint
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


def forge(folder: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> Path:
    """Write the checkpoint of a training with its tensors and metadata changed, under a valid checksum."""
    stepped(torch.contiguous_format).save(folder, {})
    loaded = checkpoint.load(folder, {})
    assert loaded is not None
    tensors, facts = dict(loaded.tensors), copy.deepcopy(loaded.facts)
    change(tensors, facts)
    loaded.path.unlink()
    checkpoint.save(folder, {k: v.contiguous() for k, v in tensors.items()}, facts, 9)
    return max(folder.glob("*.safetensors"))


def test_an_unchanged_one_is_resumed(tmp_path: Path) -> None:
    forge(tmp_path, lambda tensors, facts: None)
    assert stepped(torch.contiguous_format).resume(tmp_path, {})


FORGED: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
    "no weight": lambda t, f: t.pop("network.weight"),
    "another shape": lambda t, f: t.update({"network.weight": torch.ones(6, 4, 1, 1)}),
    "a foreign weight": lambda t, f: t.update({"network.extra": torch.ones(1)}),
    "the best of no epoch": lambda t, f: t.update({"best.weight": torch.ones(6, 4, 3, 3)}),
    "sums that broadcast": lambda t, f: t.update(sums=torch.ones(1)),
    "no sums": lambda t, f: t.pop("sums"),
    "a moment that broadcasts": lambda t, f: t.update({"optimizer.0.exp_avg": torch.ones(1)}),
    "a moment of no parameter": lambda t, f: t.update({"optimizer.7.exp_avg": torch.ones(1)}),
    "a moment without number": lambda t, f: t.update({"optimizer.x.exp_avg": torch.ones(1)}),
    "an unknown moment": lambda t, f: t.update({"optimizer.0.max_exp_avg_sq": torch.ones(6, 4, 3, 3)}),
    "another group": lambda t, f: f["groups"].append(f["groups"][0]),
    "a rate as text": lambda t, f: f["groups"][0].update(lr="fast"),
    "no rate": lambda t, f: f["groups"][0].pop("lr"),
    "parameters of another network": lambda t, f: f["groups"][0].update(params=[0]),
    "an attribute of the scheduler": lambda t, f: f["scheduler"].update(step="x"),
    "a scheduler without its best": lambda t, f: f["scheduler"].pop("best"),
    "no random numbers": lambda t, f: t.pop("random.cpu"),
    "random numbers of another kind": lambda t, f: t.update({"random.cpu": torch.ones(3)}),
    "too few random numbers": lambda t, f: t.update({"random.cpu": torch.ones(3, dtype=torch.uint8)}),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_forged_one_is_refused_in_a_line_that_names_the_file(tmp_path: Path, change: Any) -> None:
    path = forge(tmp_path, change)
    with pytest.raises(UserError, match="is not a checkpoint of this suite") as caught:
        stepped(torch.contiguous_format).resume(tmp_path, {})
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert path.exists()


def test_the_number_of_threads_at_the_beginning_is_kept(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    first = stepped(torch.contiguous_format)
    first.save(tmp_path, {})
    torch.set_num_threads(1)
    second = stepped(torch.contiguous_format)
    assert (first.threads, second.threads) == (2, 1)
    assert second.resume(tmp_path, {})
    assert second.threads == 2
    second.save(tmp_path, {})
    third = stepped(torch.contiguous_format)
    assert third.resume(tmp_path, {})
    assert third.threads == 2


def test_one_from_before_threads_were_recorded_is_resumed(tmp_path: Path) -> None:
    forge(tmp_path, lambda tensors, facts: facts.pop("threads"))
    state = stepped(torch.contiguous_format)
    assert state.resume(tmp_path, {})
    assert state.threads == torch.get_num_threads()
