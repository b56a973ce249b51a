"""The training augmentation: one random draw per (seed, epoch, item), whatever the order or the workers."""

import os
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import would ask the network for a newer version

import albumentations as A
import cv2

Array = npt.NDArray[np.uint8]


LARGEST = {
    "shift": 1.0, "scale": 0.9, "rotate_deg": 180.0, "brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5,
}  # fmt: skip
"""Up to which a range means what it says: a scale of 1 would shrink an image to nothing, half a circle is all hues."""


@dataclass(frozen=True)
class AugmentSettings:
    """Probabilities (``*_p``) and ranges of the transforms, applied in this order.

    Attributes:
        horizontal_flip_p: mirror left-right.
        vertical_flip_p: mirror up-down.
        quarter_turn_p: turn by 0, 90, 180 or 270 degrees.
        affine_p: shift, scale and rotate, outside filled with black and background.
        shift: largest shift as a share of the side.
        scale: largest change of scale.
        rotate_deg: largest angle, degrees.
        noise_p: Gaussian noise, independent in each channel.
        noise_std: its least and largest standard deviation as a share of the full range.
        jitter_p: colour jitter.
        brightness: largest change of the factor, likewise contrast and saturation.
        hue: largest shift of the hue as a share of the circle.
    """

    horizontal_flip_p: float
    vertical_flip_p: float
    quarter_turn_p: float
    affine_p: float
    shift: float
    scale: float
    rotate_deg: float
    noise_p: float
    noise_std: tuple[float, float]
    jitter_p: float
    brightness: float
    contrast: float
    saturation: float
    hue: float

    def __post_init__(self) -> None:
        """Check the ranges; a number that is none fails every comparison."""
        for name, value in vars(self).items():
            if name.endswith("_p") and not 0 <= value <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {value}")
        for name, most in LARGEST.items():
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be 0 to {most:g}, got {getattr(self, name)}")
        least, most = self.noise_std
        if not 0 <= least <= most <= 1:
            raise ValueError(f"noise_std must be two ascending numbers from 0 to 1, got {least} and {most}")


def build_augmentation(settings: AugmentSettings) -> A.Compose:
    """Return the reference augmentation.

    **Source:** the paper, Section 4.2, with the ranges of its authors' published settings.
    """
    return A.Compose(
        [
            A.HorizontalFlip(p=settings.horizontal_flip_p),
            A.VerticalFlip(p=settings.vertical_flip_p),
            A.RandomRotate90(p=settings.quarter_turn_p),
            A.Affine(
                translate_percent=(-settings.shift, settings.shift),
                scale=(1 - settings.scale, 1 + settings.scale),
                rotate=(-settings.rotate_deg, settings.rotate_deg),
                keep_ratio=True,  # one scale for both axes, as shift-scale-rotate has it
                border_mode=cv2.BORDER_CONSTANT,
                p=settings.affine_p,
            ),
            A.GaussNoise(std_range=settings.noise_std, p=settings.noise_p),
            A.ColorJitter(
                brightness=_around_one(settings.brightness),
                contrast=_around_one(settings.contrast),
                saturation=_around_one(settings.saturation),
                hue=(-settings.hue, settings.hue),
                p=settings.jitter_p,
            ),
        ]
    )


def augment(compose: A.Compose, image: Array, mask: Array, key: tuple[int, int, int]) -> tuple[Array, Array]:
    """Return one augmented pair; a pure function of its arguments.

    Args:
        compose: from ``build_augmentation``.
        image: RGB, (H, W, 3).
        mask: class of each pixel, (H, W).
        key: seed, epoch and position of the item.
    """
    bits = np.random.PCG64(np.random.SeedSequence(key))
    # set_random_seed would give every transform the same stream: all with the same p would come together or not at all
    compose.set_random_state(np.random.Generator(bits), random.Random(int(bits.random_raw())))
    result: dict[str, Any] = compose(image=image, mask=mask)
    return result["image"], result["mask"]


def _around_one(change: float) -> tuple[float, float]:
    return 1 - change, 1 + change
