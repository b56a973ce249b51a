"""One image through a loaded network: normalisation, probabilities, and outputs that are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.tools.predictor import Predictor, settled
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD

IMAGE = np.full((4, 6, 3), 51, np.uint8)


def predictor(output: Any, is_logits: bool = True) -> Predictor:
    """Return a network that always returns the same array."""
    return Predictor(Path("net.onnx"), lambda images: {"y": np.asarray(output, np.float32)}, None, is_logits)


def constant(*values: float) -> np.ndarray:
    """Return an output (1, C, 4, 6) with these values of the channels."""
    return np.broadcast_to(np.reshape(values, (1, -1, 1, 1)), (1, len(values), 4, 6))


def test_the_network_gets_one_normalised_image() -> None:
    seen = []

    def forward(images: np.ndarray) -> dict[str, np.ndarray]:
        seen.append(images)
        return {"y": np.zeros((1, 1, 4, 6), np.float32)}

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
    def forward(images: np.ndarray) -> dict[str, np.ndarray]:
        raise RuntimeError("wrong input\nand a long trace")

    with pytest.raises(UserError, match=r"float32 \(1, 3, 4, 6\) \(wrong input\): export it with this input"):
        Predictor(Path("net.onnx"), forward, None)(IMAGE)


def classes(red: Any, *others: float) -> Any:
    """Return a function of the outputs of images: channels are constant but the last, which is ``red`` of red."""
    return lambda images: {"y": np.stack([*(np.full_like(images[:, 0], v) for v in others), red(images[:, 0])], axis=1)}


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


@pytest.mark.parametrize(
    ("forward", "stated", "is_logits"),
    [
        (classes(lambda red: -4 * red), None, True),
        (classes(lambda red: -4 * red, 0.0), None, True),
        (lambda images: {"y": np.stack([1 - sigmoid(images[:, 0]), sigmoid(images[:, 0])], 1)}, None, False),
        (classes(sigmoid), "probabilities", False),
        (classes(sigmoid), "logits", True),
    ],
)
def test_what_the_network_returns_is_recognised_or_stated(forward: Any, stated: str | None, is_logits: bool) -> None:
    found, remark = settled(Predictor(Path("net.onnx"), forward, None), stated, 8)
    assert found.is_logits == is_logits
    assert ("sum to 1" in remark) == (stated is None and not is_logits)


@pytest.mark.parametrize("forward", [classes(sigmoid), classes(sigmoid, 0.5), classes(lambda red: (red > 0) * 1.0)])
def test_values_within_0_and_1_that_may_be_either_are_asked_about(forward: Any) -> None:
    with pytest.raises(
        UserError, match=r"net\.onnx returns values from .* --output probabilities .* or --output logits"
    ):
        settled(Predictor(Path("net.onnx"), forward, None), None, 8)


def test_a_network_in_training_mode_is_refused() -> None:
    generator = np.random.default_rng(0)
    forward = classes(lambda red: red * (generator.random(red.shape) > 0.5))
    with pytest.raises(UserError, match=r"two results for one image .* exported in training mode. Call model.eval"):
        settled(Predictor(Path("net.pt2"), forward, None), "logits", 8)


def test_several_outputs_are_named_and_one_is_chosen() -> None:
    def forward(images: np.ndarray) -> dict[str, np.ndarray]:
        return {"side": images[:, :1] * 0 - 9, "fused": images[:, :1] * 0 + np.log(3)}

    with pytest.raises(UserError, match=r"2 outputs: side \(1, 1, 4, 6\), fused .* --output-name NAME"):
        Predictor(Path("net.onnx"), forward, None)(IMAGE)
    with pytest.raises(UserError, match=r"no output 'fusd'\. Its outputs: side"):
        Predictor(Path("net.onnx"), forward, None, output="fusd")(IMAGE)
    assert Predictor(Path("net.onnx"), forward, None, output="fused")(IMAGE) == pytest.approx(np.full((4, 6), 0.75))


def test_a_file_of_a_fixed_batch_size_gets_full_batches() -> None:
    sizes = []

    def forward(images: np.ndarray) -> dict[str, np.ndarray]:
        sizes.append(len(images))
        return {"y": images[:, :1]}

    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    several = Predictor(Path("net.onnx"), forward, None, batch=2).many(images)
    assert sizes == [2, 2, 2]
    single = Predictor(Path("net.onnx"), forward, None)
    assert several == pytest.approx(np.stack([single(image) for image in images]))


def test_a_map_without_a_channel_is_accepted() -> None:
    forward = lambda images: {"y": images[:, 0]}  # noqa: E731
    assert Predictor(Path("net.onnx"), forward, None)(IMAGE).shape == (4, 6)


def test_the_likeliest_crack_class_comes_with_the_probability() -> None:
    values = np.array([[2, 1, 0], [0, 3, 1], [0, 1, 3]], np.float32)  # logits of three pixels

    def forward(images: np.ndarray) -> dict[str, np.ndarray]:
        return {"out": np.broadcast_to(values.T[None, :, None], (len(images), 3, 4, 3))}

    probs, likeliest, number = Predictor(Path("net.onnx"), forward, None).of_classes(np.zeros((2, 4, 3, 3), np.uint8))
    assert number == 3
    assert (likeliest == [1, 1, 2]).all()
    assert ((probs >= 0.5) == [False, True, True]).all()
