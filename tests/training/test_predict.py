"""Prediction of the test items: eval mode, the levels written, gates, and a network that returns NaN."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import UserError
from bench.formats import prepared
from bench.training.loader import normalise
from bench.training.predict import GATED_ITEMS, predict, write_gates

CPU = torch.device("cpu")
Make = Callable[..., Any]


@pytest.fixture
def data(make_prepared: Make) -> prepared.Prepared:
    return prepared.read(make_prepared((2, 0, 6), size=32))


def maps(folder: Path) -> dict[str, np.ndarray]:
    return {p.stem: cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in sorted(folder.iterdir())}


def noisy_network(classes: int = 1) -> nn.Module:
    """Return a network whose output differs between training and eval mode."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, classes, 1))


def test_a_network_left_in_training_mode_predicts_as_in_eval_mode(
    data: prepared.Prepared, train_settings: Make, tmp_path: Path
) -> None:
    network = noisy_network()
    predict(network.eval(), data, tmp_path / "eval", train_settings(), CPU)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    predict(network.train(), data, tmp_path / "train", train_settings(), CPU)
    expected, found = maps(tmp_path / "eval"), maps(tmp_path / "train")
    assert expected.keys() == found.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())  # running means too


@pytest.mark.parametrize("classes", [1, 3])
def test_levels_are_the_probability_of_the_likeliest_crack_class_against_background(
    data: prepared.Prepared, train_settings: Make, tmp_path: Path, classes: int
) -> None:
    network = noisy_network(classes).eval()
    predict(network, data, tmp_path / "out", train_settings(batch=4), CPU)
    rows = data.split("test")
    with torch.no_grad():
        logits = network(normalise(torch.from_numpy(data.images[rows]))).double().numpy()
    odds = np.exp(logits)
    likeliest = odds[:, 0] if classes == 1 else odds[:, 1:].max(1)
    prob = likeliest / (likeliest + (1 if classes == 1 else odds[:, 0]))
    found = maps(tmp_path / "out")
    assert sorted(found) == sorted(data.items["item"].iloc[rows])
    for row, expected in zip(rows, prob, strict=True):
        level = found[data.items["item"].iloc[row]].astype(float)
        assert np.abs(level / 256 - expected).max() <= 1 / 256 + 1e-6
    assert (tmp_path / "classes").is_dir() == (classes > 1)
    if classes > 1:
        kept = maps(tmp_path / "classes")
        assert np.array_equal(np.stack([kept[data.items["item"].iloc[row]] for row in rows]), logits.argmax(1))
    if classes > 1:  # one decision everywhere: argmax
        decided = np.stack([found[name] >= 128 for name in data.items["item"].iloc[rows]])
        assert np.array_equal(decided, logits.argmax(1) > 0)


def test_a_network_that_returns_nan_is_refused_by_item(
    data: prepared.Prepared, train_settings: Make, tmp_path: Path
) -> None:
    network = noisy_network()
    nn.init.constant_(network[3].bias, float("nan"))
    with pytest.raises(UserError, match=str(data.items["item"].iloc[data.split("test")[0]])):
        predict(network, data, tmp_path, train_settings(), CPU)


class Gated(nn.Module):
    has_gates = True

    def gates(self, images: Tensor) -> list[Tensor]:
        scale = 0.25 if self.training else 0.5
        return [torch.full((len(images), 1, side, side), scale) for side in (4, 8)]


def test_gates_are_written_by_side_in_eval_mode(data: prepared.Prepared, tmp_path: Path) -> None:
    folder = tmp_path / "gates"
    write_gates(Gated().train(), data, folder, CPU)
    assert sorted(p.name for p in folder.iterdir()) == ["4", "8"]
    found = maps(folder / "4")
    assert sorted(found) == sorted(data.items["item"].iloc[data.split("test")[:GATED_ITEMS]])
    assert all((level == 128).all() and level.shape == (4, 4) for level in found.values())


def test_a_network_without_gates_writes_nothing(data: prepared.Prepared, tmp_path: Path) -> None:
    write_gates(noisy_network(), data, tmp_path / "gates", CPU)
    assert not (tmp_path / "gates").exists()
