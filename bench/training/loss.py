"""The training loss: cross-entropy plus Dice, binary or multi-class."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch.nn.functional as F
from torch import Tensor

from bench.training.settings import LossSettings

Loss = Callable[[Tensor, Tensor], Tensor]


def binary_loss(logits: Tensor, target: Tensor, settings: LossSettings) -> Tensor:
    """Return alpha BCE + beta Dice of each image.

    Args:
        logits: before the sigmoid, (B, 1, H, W).
        target: 1 for crack, 0 for background, (B, H, W).
        settings: weights and smoothing.

    Returns:
        (B,), at least 0. The Dice loss of an image without crack is near 1 unless the prediction is nearly empty.

    **Source:** the paper, eq. 18 to 20; the sums run over the pixels of one image.
    """
    truth = target.to(logits.dtype).flatten(1)
    flat = logits.flatten(1)
    bce = F.binary_cross_entropy_with_logits(flat, truth, reduction="none").mean(1)
    dice = _dice_loss(flat.sigmoid(), truth, settings.epsilon)
    return settings.cross_entropy * bce + settings.dice * dice


def multiclass_loss(logits: Tensor, target: Tensor, class_weights: Tensor, settings: LossSettings) -> Tensor:
    """Return gamma CE + delta Dice of each image.

    Args:
        logits: before the softmax, (B, C, H, W).
        target: class of each pixel, (B, H, W).
        class_weights: omega_k, (C,).
        settings: weights and smoothing.

    Returns:
        (B,), at least 0; the Dice term is the mean over the classes.

    **Source:** the paper, eq. 21 to 24; the weighted sum is divided by the number of pixels, not by the weights.
    """
    log_prob = logits.log_softmax(1).gather(1, target.long()[:, None])[
        :, 0
    ]  # not F.cross_entropy: nondeterministic on CUDA
    ce = -(class_weights[target.long()] * log_prob).flatten(1).mean(1)
    truth = F.one_hot(target.long(), logits.shape[1]).movedim(-1, 1).to(logits.dtype).flatten(2)
    dice = _dice_loss(logits.softmax(1).flatten(2), truth, settings.epsilon).mean(1)
    return settings.cross_entropy * ce + settings.dice * dice


def inverse_frequency(masks: npt.NDArray[np.uint8], classes: int) -> npt.NDArray[np.float64]:
    """Return omega_k = pixels / (classes * pixels of class k), (C,); a class that never occurs gets weight 0.

    >>> inverse_frequency(np.array([0, 0, 0, 1], np.uint8), 2).tolist()
    [0.6666666666666666, 2.0]
    """
    counts = np.array([np.count_nonzero(masks == k) for k in range(classes)], np.float64)
    return np.divide(masks.size, classes * counts, out=np.zeros(classes), where=counts > 0)


def _dice_loss(prob: Tensor, truth: Tensor, epsilon: float) -> Tensor:
    """Return 1 - (2 sum(p t) + eps) / (sum(p) + sum(t) + eps) over the last axis."""
    return 1 - (2 * (prob * truth).sum(-1) + epsilon) / (prob.sum(-1) + truth.sum(-1) + epsilon)
