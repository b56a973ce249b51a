"""Augment training pairs on the CPU; the random draw depends on (seed, epoch, item) only, not on order or workers."""

import os
import random
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # otherwise the import checks the network for a newer version

import albumentations as A
import cv2

from bench.training.settings import AugmentSettings

Array = npt.NDArray[np.uint8]


def build_augmentation(settings: AugmentSettings) -> A.Compose:
    """Return the reference augmentation.

    **Source:** the paper, Section 4.2, with the ranges from its authors' published settings.
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
                keep_ratio=True,  # one scale for both axes, as in shift-scale-rotate
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
        key: seed, epoch and row of the item.
    """
    bits = np.random.PCG64(np.random.SeedSequence(key))
    # set_random_seed would give every transform the same stream: those with equal p would all apply, or none
    compose.set_random_state(np.random.Generator(bits), random.Random(int(bits.random_raw())))
    result: dict[str, Any] = compose(image=image, mask=mask)
    return result["image"], result["mask"]


def _around_one(change: float) -> tuple[float, float]:
    return 1 - change, 1 + change
