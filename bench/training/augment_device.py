"""The same augmentation on the GPU, for when the CPU is too slow: same distribution, different random numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import functional as V

from bench.training.settings import AugmentSettings


@dataclass(frozen=True)
class Draw:
    """The transforms of one item; None or False means that the transform is skipped.

    Attributes:
        horizontal_flip: mirror left-right.
        vertical_flip: mirror up-down.
        quarter_turns: number of counter-clockwise rotations by 90 degrees.
        affine: angle in degrees (clockwise in the image), shift to the right and down in px, scale.
        noise_std: standard deviation of the noise, grey levels.
        jitter: (name of the transform, its factor) in the order of application.
        noise_seed: seed of the noise.
    """

    horizontal_flip: bool
    vertical_flip: bool
    quarter_turns: int
    affine: tuple[float, float, float, float] | None
    noise_std: float | None
    jitter: tuple[tuple[str, float], ...]
    noise_seed: int


def draw(settings: AugmentSettings, size: int, key: tuple[int, int, int]) -> Draw:
    """Return the random choices for one item; a pure function of its arguments.

    Args:
        settings: probabilities and ranges.
        size: side of the image, px.
        key: seed, epoch and row of the item.
    """
    sequence = np.random.SeedSequence(key)
    random = np.random.Generator(np.random.PCG64(sequence))
    s = settings
    horizontal, vertical, is_turned, is_moved, is_noisy, is_jittered = random.random(6) < (
        s.horizontal_flip_p, s.vertical_flip_p, s.quarter_turn_p, s.affine_p, s.noise_p, s.jitter_p
    )  # fmt: skip
    turns = int(random.integers(4))
    angle = random.uniform(-s.rotate_deg, s.rotate_deg)
    right, down = random.uniform(-s.shift * size, s.shift * size, 2)
    scale = random.uniform(1 - s.scale, 1 + s.scale)
    std = 255 * random.uniform(*s.noise_std)
    factors = [
        ("adjust_brightness", random.uniform(1 - s.brightness, 1 + s.brightness)),
        ("adjust_contrast", random.uniform(1 - s.contrast, 1 + s.contrast)),
        ("adjust_saturation", random.uniform(1 - s.saturation, 1 + s.saturation)),
        ("adjust_hue", random.uniform(-s.hue, s.hue)),
    ]
    return Draw(
        bool(horizontal),
        bool(vertical),
        turns if is_turned else 0,
        (angle, right, down, scale) if is_moved else None,
        std if is_noisy else None,
        tuple(factors[i] for i in random.permutation(4)) if is_jittered else (),
        int(sequence.generate_state(2)[1]),
    )


def apply(images: Sequence[Tensor], masks: Sequence[Tensor], draws: Sequence[Draw]) -> tuple[Tensor, Tensor]:
    """Return the augmented items of a batch, uint8 (B, 3, H, W) and (B, H, W), on the device of the inputs.

    Args:
        images: RGB, uint8, square, (3, H, W) each.
        masks: class of each pixel, uint8 (H, W) each.
        draws: the transforms of each item, from ``draw``.
    """
    side, device = images[0].shape[-1], images[0].device
    matrices = torch.tensor([_inverse_affine(d.affine or (0, 0, 0, 1), side) for d in draws], dtype=torch.float32)
    if device.type == "cuda":  # one asynchronous transfer for the whole batch
        matrices = matrices.pin_memory()
    matrices = matrices.to(device, non_blocking=device.type == "cuda")
    pairs = [_apply_one(*item) for item in zip(images, masks, draws, matrices, strict=True)]
    return torch.stack([image for image, _ in pairs]), torch.stack([mask for _, mask in pairs])


def _apply_one(image: Tensor, mask: Tensor, transforms: Draw, matrix: Tensor) -> tuple[Tensor, Tensor]:
    if transforms.horizontal_flip:
        image, mask = image.flip(-1), mask.flip(-1)
    if transforms.vertical_flip:
        image, mask = image.flip(-2), mask.flip(-2)
    if turns := transforms.quarter_turns:
        image, mask = image.rot90(turns, (-2, -1)), mask.rot90(turns, (-2, -1))
    if transforms.affine:
        grid = F.affine_grid(matrix[None], [1, 1, *mask.shape], align_corners=False)
        image, mask = _sample(image, grid, "bilinear"), _sample(mask[None], grid, "nearest")[0]
    if transforms.noise_std:
        generator = torch.Generator(image.device).manual_seed(transforms.noise_seed)
        noise = torch.randn(image.shape, generator=generator, device=image.device)
        image = (image + transforms.noise_std * noise).round_().clamp_(0, 255).to(torch.uint8)
    for name, factor in transforms.jitter:
        image = getattr(V, name)(image, factor)
    return image, mask


def _inverse_affine(affine: tuple[float, float, float, float], side: int) -> list[list[float]]:
    """Return the matrix (2, 3) that maps output coordinates to input coordinates, both in [-1, 1]."""
    angle, right, down, scale = affine
    cos, sin = math.cos(math.radians(angle)) / scale, math.sin(math.radians(angle)) / scale
    x, y = 2 * right / side, 2 * down / side
    return [[cos, sin, -cos * x - sin * y], [-sin, cos, sin * x - cos * y]]


def _sample(image: Tensor, grid: Tensor, mode: str) -> Tensor:
    """Return the image (C, H, W), uint8, sampled at the points of a grid; 0 outside."""
    return F.grid_sample(image[None].float(), grid, mode, align_corners=False)[0].round_().to(torch.uint8)
