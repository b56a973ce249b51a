"""The loss: numbers worked out by hand, the same from torch and from segmentation-models-pytorch, finite gradients."""

import math

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bench.training.loss import binary_loss, inverse_frequency, multiclass_loss
from bench.training.settings import LossSettings

EPSILON = 1e-5
BOTH = LossSettings(cross_entropy=1.0, dice=1.0, epsilon=EPSILON, dice_over="image")
CE = LossSettings(cross_entropy=1.0, dice=0.0, epsilon=EPSILON, dice_over="image")
DICE = LossSettings(cross_entropy=0.0, dice=1.0, epsilon=EPSILON, dice_over="image")


def binary(seed: int = 0, images: int = 3) -> tuple[Tensor, Tensor]:
    """Return random logits (B, 1, 5, 7) and masks with crack in each image."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand((images, 5, 7), generator=generator) < 0.3
    target[:, 0, 0] = True
    return 3 * torch.randn((images, 1, 5, 7), generator=generator), target.to(torch.uint8)


def several(seed: int = 0, images: int = 3) -> tuple[Tensor, Tensor]:
    """Return random logits (B, 3, 5, 7) and labels with each class in each image."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 3, (images, 5, 7), generator=generator)
    target[:, 0, :3] = torch.arange(3)
    return 3 * torch.randn((images, 3, 5, 7), generator=generator), target.to(torch.uint8)


def test_binary_loss_by_hand() -> None:
    # p = 1/2, 3/4, 1/4, 1/2; truth 1, 1, 0, 0
    logits = torch.tensor([0.0, math.log(3), -math.log(3), 0.0]).reshape(1, 1, 2, 2)
    target = torch.tensor([[[1, 1], [0, 0]]], dtype=torch.uint8)
    bce = -(math.log(0.5) + math.log(0.75) + math.log(0.75) + math.log(0.5)) / 4
    dice = 1 - (2 * 1.25 + EPSILON) / (2 + 2 + EPSILON)
    assert binary_loss(logits, target, CE).tolist() == pytest.approx([bce], rel=1e-6)
    assert binary_loss(logits, target, DICE).tolist() == pytest.approx([dice], rel=1e-6)
    weighted = LossSettings(0.25, 3.0, EPSILON, "image")
    assert binary_loss(logits, target, weighted).tolist() == pytest.approx([0.25 * bce + 3 * dice], rel=1e-6)


def test_multiclass_loss_by_hand() -> None:
    # two pixels, three classes; p = (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2); truth 0 and 1
    logits = torch.tensor([[2.0, 1.0], [1.0, 1.0], [1.0, 2.0]]).log().reshape(1, 3, 1, 2)
    target = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    weights = torch.tensor([0.5, 2.0, 0.0])
    ce = (-0.5 * math.log(0.5) - 2 * math.log(0.25)) / 2  # by the number of pixels, not by the sum of the weights
    dice = [
        1 - (2 * 0.5 + EPSILON) / (0.75 + 1 + EPSILON),
        1 - (2 * 0.25 + EPSILON) / (0.5 + 1 + EPSILON),
        1 - EPSILON / (0.75 + EPSILON),
    ]
    assert multiclass_loss(logits, target, weights, CE).tolist() == pytest.approx([ce], rel=1e-6)
    assert multiclass_loss(logits, target, weights, DICE).tolist() == pytest.approx([sum(dice) / 3], rel=1e-6)
    assert multiclass_loss(logits, target, weights, BOTH).tolist() == pytest.approx([ce + sum(dice) / 3], rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_binary_cross_entropy_is_torch_s(seed: int) -> None:
    logits, target = binary(seed)
    expected = F.binary_cross_entropy_with_logits(logits[:, 0], target.float(), reduction="none").mean((1, 2))
    torch.testing.assert_close(binary_loss(logits, target, CE), expected)


@pytest.mark.parametrize("seed", range(3))
def test_binary_dice_is_that_of_smp_for_each_image(seed: int) -> None:
    logits, target = binary(seed)
    theirs = smp.losses.DiceLoss("binary", smooth=EPSILON)
    expected = torch.stack([theirs(logits[i : i + 1], target[i : i + 1].float()) for i in range(len(logits))])
    torch.testing.assert_close(binary_loss(logits, target, DICE), expected)


@pytest.mark.parametrize("seed", range(3))
def test_multiclass_terms_are_those_of_torch_and_smp(seed: int) -> None:
    logits, target = several(seed)
    weights = torch.tensor([0.5, 1.5, 4.0])
    ce = F.cross_entropy(logits, target.long(), weight=weights, reduction="none").mean((1, 2))
    theirs = smp.losses.DiceLoss("multiclass", smooth=EPSILON)
    dice = torch.stack([theirs(logits[i : i + 1], target[i : i + 1].long()) for i in range(len(logits))])
    torch.testing.assert_close(multiclass_loss(logits, target, weights, CE), ce)
    torch.testing.assert_close(multiclass_loss(logits, target, weights, DICE), dice)
    torch.testing.assert_close(multiclass_loss(logits, target, weights, BOTH), ce + dice)


@pytest.mark.parametrize("images", [1, 2, 5])
def test_the_loss_of_an_image_does_not_depend_on_its_batch(images: int) -> None:
    logits, target = binary(images=images)
    alone = torch.cat([binary_loss(logits[i : i + 1], target[i : i + 1], BOTH) for i in range(images)])
    torch.testing.assert_close(binary_loss(logits, target, BOTH), alone)
    logits, target = several(images=images)
    weights = torch.tensor([1.0, 2.0, 3.0])
    each = [multiclass_loss(logits[i : i + 1], target[i : i + 1], weights, BOTH) for i in range(images)]
    torch.testing.assert_close(multiclass_loss(logits, target, weights, BOTH), torch.cat(each))


def test_a_right_and_sure_prediction_costs_nothing() -> None:
    _, target = binary()
    logits = torch.where(target.bool(), 50.0, -50.0)[:, None]
    assert binary_loss(logits, target, BOTH).max() < 1e-6
    assert binary_loss(-logits, target, DICE).min() > 0.999
    _, target = several()
    logits = 50.0 * F.one_hot(target.long(), 3).movedim(-1, 1)
    assert multiclass_loss(logits, target, torch.ones(3), BOTH).max() < 1e-5


@pytest.mark.parametrize(
    ("logit", "least", "most"),
    [(0.0, 0.999, 1.0), (-20.0, 0.0, 0.02)],  # near 1 unless the prediction is nearly empty
)
def test_dice_of_an_image_without_crack(logit: float, least: float, most: float) -> None:
    loss = binary_loss(torch.full((1, 1, 8, 8), logit), torch.zeros((1, 8, 8), dtype=torch.uint8), DICE)
    assert least <= loss.item() <= most


@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0, 1e4])
@pytest.mark.parametrize("fill", [0, 1])
def test_gradients_are_finite(scale: float, fill: int) -> None:
    logits, target = binary()
    logits = (scale * logits).requires_grad_()
    binary_loss(logits, torch.full_like(target, fill), BOTH).sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    many, labels = several()
    many = (scale * many).requires_grad_()
    multiclass_loss(many, torch.full_like(labels, fill), torch.tensor([0.3, 0.0, 2.0]), BOTH).sum().backward()
    assert many.grad is not None
    assert many.grad.isfinite().all()


def test_gradients_point_to_the_truth() -> None:
    logits, target = binary()
    logits.requires_grad_()
    binary_loss(logits, target, BOTH).sum().backward()
    assert logits.grad is not None
    wrong_way = torch.where(target.bool(), logits.grad[:, 0] > 0, logits.grad[:, 0] < 0)
    assert not wrong_way.any()


def test_inverse_frequency_by_hand() -> None:
    masks = np.array([[[0, 0], [0, 0]], [[0, 1], [1, 2]]], np.uint8)  # 5, 2 and 1 of 8
    assert inverse_frequency(masks, 3).tolist() == pytest.approx([8 / 15, 8 / 6, 8 / 3])


def test_a_class_that_never_occurs_weighs_nothing() -> None:
    assert inverse_frequency(np.zeros((2, 3), np.uint8), 3).tolist() == [1 / 3, 0, 0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_the_weights_of_all_pixels_add_up_to_their_number(labels: list[int]) -> None:
    masks = np.array(labels, np.uint8)
    weights = inverse_frequency(masks, 4)
    present = len(set(labels))
    assert weights[masks].sum() == pytest.approx(len(labels) * present / 4)
    for k in range(4):
        assert weights[k] == (pytest.approx(len(labels) / (4 * labels.count(k))) if k in labels else 0)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("dice_over", ["image", "batch"])
def test_ignored_pixels_neither_count_nor_teach(classes: int, dice_over: str) -> None:
    settings = LossSettings(1.0, 1.0, 1e-5, dice_over)  # type: ignore[arg-type]
    torch.manual_seed(0)
    logits = torch.randn(2, classes, 4, 6, requires_grad=True)
    target = torch.randint(0, max(classes, 2), (2, 4, 6), dtype=torch.uint8)
    target[:, :, 4:] = 255
    weights = torch.tensor([0.5, 1.0, 2.0])

    def loss(x: torch.Tensor, y: torch.Tensor, ignored: bool) -> torch.Tensor:
        if classes == 1:
            return binary_loss(x, y, settings, ignored)
        return multiclass_loss(x, y, weights, settings, ignored)

    found = loss(logits, target, True)
    torch.testing.assert_close(found, loss(logits[..., :4], target[..., :4], False))
    found.sum().backward()
    assert logits.grad is not None
    assert logits.grad[..., 4:].abs().max() == 0
    assert logits.grad[..., :4].abs().min() > 0


def test_an_image_without_a_pixel_that_counts_has_a_finite_loss() -> None:
    settings = LossSettings(1.0, 1.0, 1e-5, "image")
    found = binary_loss(torch.zeros(1, 1, 4, 4), torch.full((1, 4, 4), 255, dtype=torch.uint8), settings, True)
    assert found.tolist() == [0.0]


def test_dice_over_the_batch_by_hand() -> None:
    settings = LossSettings(0.0, 1.0, 1e-5, "batch")
    logits = torch.tensor([100.0, 100.0, -100.0, -100.0]).view(2, 1, 1, 2)  # the first image all crack, the second none
    target = torch.tensor([[[1, 0]], [[0, 1]]], dtype=torch.uint8)
    assert binary_loss(logits, target, settings).tolist() == pytest.approx([1 - 2 / 4] * 2, abs=1e-4)
