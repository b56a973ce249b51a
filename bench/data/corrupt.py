"""Corrupt photographs as cameras do: blur, noise, JPEG, brightness, shadow; the same for each run."""

import zlib

import albumentations as A
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.uint8]

CORRUPTIONS: dict[str, A.ImageOnlyTransform] = {
    "blur": A.GaussianBlur(sigma_limit=(2.0, 2.0), blur_limit=0, p=1),
    "noise": A.GaussNoise(std_range=(0.12, 0.12), p=1),
    "jpeg": A.ImageCompression(quality_range=(20, 20), p=1),
    "brightness": A.RandomBrightnessContrast(brightness_limit=(0.2, 0.2), contrast_limit=(0.0, 0.0), p=1),
    "shadow": A.RandomShadow(shadow_roi=(0, 0, 1, 1), num_shadows_limit=(1, 1), shadow_intensity_range=(0.5, 0.5), p=1),
}
"""Name -> transform. **Source:** blur (standard deviation 2 px), noise (0.12 of the range) and brightness (+0.2 of the
range) have severity 2 of Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations, 2019; JPEG has quality 20, the shadow of one random polygon halves the brightness."""


def corrupt(image: Array, name: str, item: str) -> Array:
    """Return a corrupted copy of an RGB image (H, W, 3); what is random depends on ``name`` and ``item`` only.

    >>> grey = np.full((32, 32, 3), 100, np.uint8)
    >>> int(corrupt(grey, "brightness", "a").max())
    151
    """
    compose = A.Compose([CORRUPTIONS[name]], seed=zlib.crc32(f"{name}/{item}".encode()))
    turn = -1 if name == "jpeg" else 1  # albumentations hands an image to OpenCV's encoder as it is, which takes BGR
    corrupted = compose(image=np.ascontiguousarray(image[..., ::turn]))["image"]
    return np.ascontiguousarray(corrupted[..., ::turn], np.uint8)
