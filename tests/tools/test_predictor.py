"""One image through a loaded network: normalisation, probabilities, and outputs that are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.tools.predictor import Predictor, load
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD

IMAGE = np.full((4, 6, 3), 51, np.uint8)


def predictor(output: Any, is_logits: bool = True) -> Predictor:
    """Return a network that always returns the same array."""
    return Predictor(Path("net.onnx"), lambda images: np.asarray(output, np.float32), None, is_logits)


def constant(*values: float) -> np.ndarray:
    """Return an output (1, C, 4, 6) with these values of the channels."""
    return np.broadcast_to(np.reshape(values, (1, -1, 1, 1)), (1, len(values), 4, 6))


def test_the_network_gets_one_normalised_image() -> None:
    seen = []

    def forward(images: np.ndarray) -> np.ndarray:
        seen.append(images)
        return np.zeros((1, 1, 4, 6), np.float32)

    Predictor(Path("net.onnx"), forward, None)(IMAGE)
    (images,) = seen
    assert (images.shape, images.dtype) == ((1, 3, 4, 6), np.float32)
    expected = (0.2 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    assert images[0, :, 2, 3] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "is_logits", "expected"),
    [
        ((np.log(3),), True, 0.75),
        ((-1000,), True, 0),  # no overflow
        ((0.25,), False, 0.25),
        ((0, np.log(3)), True, 0.75),  # class 0 is background
        ((0, np.log(2), np.log(3)), True, 0.75),  # the likeliest other class against background: as argmax decides
        ((1000, 0), True, 0),
        ((0.25, 0.5, 0.25), False, 2 / 3),
    ],
)
def test_probabilities_by_hand(values: tuple[float, ...], is_logits: bool, expected: float) -> None:
    prob = predictor(constant(*values), is_logits)(IMAGE)
    assert (prob.shape, prob.dtype) == ((4, 6), np.float32)
    assert prob == pytest.approx(np.full((4, 6), expected), abs=1e-6)


@pytest.mark.parametrize(
    ("output", "is_logits", "message"),
    [
        (np.zeros((4, 6)), True, r"returns an array \(4, 6\) for an image, expected \(1, C, 4, 6\)"),
        (np.zeros((1, 0, 4, 6)), True, "expected"),
        (np.zeros((2, 1, 4, 6)), True, "expected"),
        (np.zeros((1, 1, 2, 3)), True, "expected"),
        (constant(np.inf), True, "returns NaN or infinity"),
        (constant(1.5), False, r"returns 1\.5 to 1\.5, which are no probabilities"),
    ],
)
def test_other_outputs_are_refused_by_file(output: np.ndarray, is_logits: bool, message: str) -> None:
    with pytest.raises(UserError, match=f"net.onnx {message}" if message.startswith("ret") else message):
        predictor(output, is_logits)(IMAGE)


def test_an_error_of_the_network_is_reported_by_its_first_line() -> None:
    def forward(images: np.ndarray) -> np.ndarray:
        raise RuntimeError("wrong input\nand a long trace")

    with pytest.raises(UserError, match=r"float32 \(1, 3, 4, 6\) \(wrong input\): export it with this input"):
        Predictor(Path("net.onnx"), forward, None)(IMAGE)


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.onnx", "not found: give the folder of a run"), ("net.pth", "neither .onnx nor .pt2")],
)
def test_what_cannot_be_loaded_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "net.pth").write_bytes(b"weights")
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path / name, True)
    assert str(tmp_path / name) in str(caught.value)


def test_damaged_files_are_refused_by_name(tmp_path: Path) -> None:
    for name in ("torn.onnx", "torn.pt2"):
        (tmp_path / name).write_bytes(b"torn")
        with pytest.raises(UserError, match=name):
            load(tmp_path / name, True)
