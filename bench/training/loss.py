"""The training loss: cross-entropy plus Dice, binary or multi-class."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.formats.prepared import IGNORED
from bench.training.settings import LossSettings

Loss = Callable[[Tensor, Tensor], Tensor]


def binary_loss(logits: Tensor, target: Tensor, settings: LossSettings, has_ignored: bool = False) -> Tensor:
    """Return alpha BCE + beta Dice of each image.

    Args:
        logits: before the sigmoid, (B, 1, H, W).
        target: 1 for crack, 0 for background, 255 for pixels to leave out, (B, H, W).
        settings: weights, smoothing, and whether Dice sums over an image or over the batch.
        has_ignored: whether the target may hold 255.

    Returns:
        (B,), at least 0. The Dice loss of an image without crack is near 1 unless the prediction is nearly empty. All
        pixels of an image ignored: its BCE is 0.

    **Source:** the paper, eq. 18 to 20; the sums run over the pixels of one image.
    """
    known = _known(target, logits.dtype).flatten(1) if has_ignored else None
    truth, flat = target.to(logits.dtype).flatten(1), logits.flatten(1)
    prob = flat.sigmoid()
    if known is not None:
        truth, prob = truth * known, prob * known
    bce = F.binary_cross_entropy_with_logits(flat, truth, reduction="none")
    dice = _dice_loss(prob, truth, settings)
    return settings.cross_entropy * _mean(bce, known) + settings.dice * dice


def multiclass_loss(
    logits: Tensor, target: Tensor, class_weights: Tensor, settings: LossSettings, has_ignored: bool = False
) -> Tensor:
    """Return gamma CE + delta Dice of each image.

    Args:
        logits: before the softmax, (B, C, H, W).
        target: class of each pixel, 255 for pixels to leave out, (B, H, W).
        class_weights: omega_k, (C,).
        settings: as for ``binary_loss``.
        has_ignored: whether the target may hold 255.

    Returns:
        (B,), at least 0; the Dice term is the mean over the classes.

    **Source:** the paper, eq. 21 to 24; the weighted sum is divided by the number of pixels, not by the weights.
    """
    known = _known(target, logits.dtype).flatten(1) if has_ignored else None
    classes = target.long() if known is None else target.long().where(target != IGNORED, 0)
    # gather, since F.cross_entropy is not deterministic on CUDA
    log_prob = logits.log_softmax(1).gather(1, classes[:, None])[:, 0]
    ce = -(class_weights[classes] * log_prob).flatten(1)
    truth = F.one_hot(classes, logits.shape[1]).movedim(-1, 1).to(logits.dtype).flatten(2)
    prob = logits.softmax(1).flatten(2)
    if known is not None:
        truth, prob = truth * known[:, None], prob * known[:, None]
    dice = _dice_loss(prob, truth, settings).mean(1)
    return settings.cross_entropy * _mean(ce, known) + settings.dice * dice


def inverse_frequency(masks: npt.NDArray[np.uint8], classes: int) -> npt.NDArray[np.float64]:
    """Return omega_k = pixels / (classes * pixels of class k), (C,); a class that never occurs gets weight 0.

    Pixels to leave out (255) are not counted.

    >>> inverse_frequency(np.array([0, 0, 0, 1, 255], np.uint8), 2).tolist()
    [0.6666666666666666, 2.0]
    """
    counts = np.array([np.count_nonzero(masks == k) for k in range(classes)], np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, counts.sum() / (classes * counts), 0.0)


def _known(target: Tensor, dtype: torch.dtype) -> Tensor:
    """Return 1 where a pixel counts and 0 where it is ignored."""
    return (target != IGNORED).to(dtype)


def _mean(values: Tensor, known: Tensor | None) -> Tensor:
    """Return the mean over the pixels (B, N) that count; 0 for an image without any."""
    if known is None:
        return values.mean(1)
    return (values * known).sum(1) / known.sum(1).clamp(min=1)


def _dice_loss(prob: Tensor, truth: Tensor, settings: LossSettings) -> Tensor:
    """Return 1 - (2 sum(p t) + eps) / (sum(p) + sum(t) + eps) over the last axis, and over the first for the batch."""
    both, total = (prob * truth).sum(-1), prob.sum(-1) + truth.sum(-1)
    if settings.dice_over == "batch":
        both, total = both.sum(0).expand_as(both), total.sum(0).expand_as(total)
    return 1 - (2 * both + settings.epsilon) / (total + settings.epsilon)
