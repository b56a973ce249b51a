"""The same augmentation on the device, for GPUs that outrun the processor: same distribution, other random numbers."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as V

from bench.learning.augment import AugmentSettings


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


def apply(image: Tensor, mask: Tensor, chosen: Draw) -> tuple[Tensor, Tensor]:
    """Return one augmented pair, on the device it lies on.

    Args:
        image: RGB, uint8 (3, H, W).
        mask: class of each pixel, uint8 (H, W).
        chosen: from ``draw``.
    """
    if chosen.horizontal_flip:
        image, mask = image.flip(-1), mask.flip(-1)
    if chosen.vertical_flip:
        image, mask = image.flip(-2), mask.flip(-2)
    if chosen.quarter_turns:
        image, mask = image.rot90(chosen.quarter_turns, (-2, -1)), mask.rot90(chosen.quarter_turns, (-2, -1))
    if chosen.affine:
        angle, right, down, scale = chosen.affine
        move = {"angle": angle, "translate": [right, down], "scale": scale, "shear": [0.0, 0.0]}
        image = V.affine(image, **move, interpolation=V.InterpolationMode.BILINEAR)
        mask = V.affine(mask[None], **move, interpolation=V.InterpolationMode.NEAREST)[0]
    if chosen.noise_std:
        generator = torch.Generator(image.device).manual_seed(chosen.noise_seed)
        noise = torch.randn(image.shape, generator=generator, device=image.device)
        image = (image + chosen.noise_std * noise).round_().clamp_(0, 255).to(torch.uint8)
    for name, factor in chosen.jitter:
        image = getattr(V, name)(image, factor)
    return image, mask
