"""The same augmentation on the device, for GPUs that outrun the processor: same distribution, other random numbers."""

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
    """What is done to one item; None or False: that transform is left out.

    Attributes:
        horizontal_flip: mirror left-right.
        vertical_flip: mirror up-down.
        quarter_turns: counter-clockwise.
        affine: angle in degrees (clockwise in the image), shift to the right and down in px, scale.
        noise_std: in grey levels.
        jitter: (name of the transform, its factor) in the order of application.
        noise_seed: of the noise.
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
        key: seed, epoch and position of the item.
    """
    sequence = np.random.SeedSequence(key)
    random = np.random.Generator(np.random.PCG64(sequence))
    s = settings
    horizontal, vertical, turned, moved, noisy, jittered = random.random(6) < (
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
        turns if turned else 0,
        (angle, right, down, scale) if moved else None,
        std if noisy else None,
        tuple(factors[i] for i in random.permutation(4)) if jittered else (),
        int(sequence.generate_state(2)[1]),
    )


def apply(images: Sequence[Tensor], masks: Sequence[Tensor], draws: Sequence[Draw]) -> tuple[Tensor, Tensor]:
    """Return the augmented items of a batch, uint8 (B, 3, H, W) and (B, H, W), on the device they lie on.

    Args:
        images: RGB, uint8, square, (3, H, W) each.
        masks: class of each pixel, uint8 (H, W) each.
        draws: what is done to each item, from ``draw``.
    """
    side, device = images[0].shape[-1], images[0].device
    moves = torch.tensor([_to_input(chosen.affine or (0, 0, 0, 1), side) for chosen in draws], dtype=torch.float32)
    if device.type == "cuda":  # one transfer for all, which nothing waits for
        moves = moves.pin_memory().to(device, non_blocking=True)
    pairs = [_apply_one(*item) for item in zip(images, masks, draws, moves, strict=True)]
    return torch.stack([image for image, _ in pairs]), torch.stack([mask for _, mask in pairs])


def _apply_one(image: Tensor, mask: Tensor, chosen: Draw, move: Tensor) -> tuple[Tensor, Tensor]:
    if chosen.horizontal_flip:
        image, mask = image.flip(-1), mask.flip(-1)
    if chosen.vertical_flip:
        image, mask = image.flip(-2), mask.flip(-2)
    if chosen.quarter_turns:
        image, mask = image.rot90(chosen.quarter_turns, (-2, -1)), mask.rot90(chosen.quarter_turns, (-2, -1))
    if chosen.affine:
        grid = F.affine_grid(move[None], [1, 1, *mask.shape], align_corners=False)
        image, mask = _sample(image, grid, "bilinear"), _sample(mask[None], grid, "nearest")[0]
    if chosen.noise_std:
        generator = torch.Generator(image.device).manual_seed(chosen.noise_seed)
        noise = torch.randn(image.shape, generator=generator, device=image.device)
        image = (image + chosen.noise_std * noise).round_().clamp_(0, 255).to(torch.uint8)
    for name, factor in chosen.jitter:
        image = getattr(V, name)(image, factor)
    return image, mask


def _to_input(move: tuple[float, float, float, float], side: int) -> list[list[float]]:
    """Return the matrix (2, 3) from a place in the result to the one in the input, both from -1 to 1."""
    angle, right, down, scale = move
    cos, sin = math.cos(math.radians(angle)) / scale, math.sin(math.radians(angle)) / scale
    x, y = 2 * right / side, 2 * down / side
    return [[cos, sin, -cos * x - sin * y], [-sin, cos, sin * x - cos * y]]


def _sample(image: Tensor, grid: Tensor, mode: str) -> Tensor:
    """Return the bytes (C, H, W) at the places of a grid; 0 outside."""
    return F.grid_sample(image[None].float(), grid, mode, align_corners=False)[0].round_().to(torch.uint8)
