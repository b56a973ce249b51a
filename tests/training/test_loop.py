"""The training loop on a network of one weight per colour: sums, steps, the best epoch, early stop."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.formats import prepared
from bench.training import loop
from bench.training.loader import Resident, TrainBatch

CPU = torch.device("cpu")
Make = Callable[..., Any]


def criterion(logits: Tensor, masks: Tensor) -> Tensor:
    """Return a loss for each image that falls with the mean logit."""
    return -logits.mean((1, 2, 3))


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv2d(3, 1, 1)


def test_validation_adds_up_counts_without_training_the_network(train_settings: Make) -> None:
    net = network().train()
    nn.init.zeros_(net.weight)
    nn.init.constant_(net.bias, 2.0)  # crack everywhere
    masks = torch.zeros(5, 4, 4, dtype=torch.uint8)
    masks[:2, 0] = 1
    resident = Resident(torch.zeros(5, 4, 4, 3, dtype=torch.uint8), masks)
    sums = loop.validation_loss(net, resident, criterion, train_settings(batch=2), CPU)
    assert sums.tolist() == pytest.approx([5 * -2.0, 8, 5 * 16 - 8, 0, 5])
    assert not net.training


@pytest.mark.parametrize("accumulate", [2, 3])
def test_accumulated_parts_make_the_step_of_the_whole_batch(train_settings: Make, accumulate: int) -> None:
    images, masks = torch.randn(6, 3, 4, 4), torch.zeros(6, 4, 4, dtype=torch.uint8)
    batch = TrainBatch(1, 0, False, torch.arange(6).numpy(), images, masks)
    weights, losses = [], []
    for parts in (1, accumulate):
        settings = train_settings(batch=6, accumulate=parts)
        state = loop.start(network(), settings, CPU)
        losses.append(float(loop.step(state, batch, criterion, settings, CPU)))
        weights.append(state.network.weight.detach())
        assert state.sums[-1] == 6
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    torch.testing.assert_close(weights[0], weights[1])


def test_training_stops_without_a_better_loss_and_leaves_the_best_weights(
    make_prepared: Make, train_settings: Make, tmp_path: Path
) -> None:
    data = prepared.read(make_prepared((4, 0, 2), size=32))
    seen: list[Tensor] = []

    def worse(logits: Tensor, masks: Tensor) -> Tensor:
        """Return a validation loss that rises with every epoch; gradients as of the other."""
        if torch.is_grad_enabled():
            return criterion(logits, masks)
        seen.append(net.weight.detach().clone())
        return torch.full((len(logits),), float(len(seen)))

    net = network()
    settings = train_settings(epochs=9, stop_patience=2, batch=4)
    state, why = loop.fit(net, data, worse, 0, settings, CPU, tmp_path / "checkpoints", {})
    assert (state.best_epoch, len(state.history)) == (1, 3)
    assert "2 epochs" in why
    assert torch.equal(net.weight, seen[0])
    assert not torch.equal(seen[0], seen[-1])
    assert [row["epoch"] for row in state.history] == [1, 2, 3]


@pytest.mark.parametrize(("threads", "kind", "said"), [(1, "cpu", True), (2, "cpu", False), (1, "cuda", False)])
def test_another_number_of_threads_is_told_on_a_cpu(
    threads: int, kind: str, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(threads)
    loop._say_threads(SimpleNamespace(threads=2), torch.device(kind))  # type: ignore[arg-type]
    text = "begun with 2 CPU threads, resumed with 1: the last bits may differ"
    assert (text in capsys.readouterr().err) == said
