"""The section ``train`` of params.yaml and the valid range of each key; imports no torch, as `bench score` uses it."""

import math
from dataclasses import dataclass
from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]
"""Where to compute; auto: on a CUDA GPU if there is one, else on the CPU."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Mean and deviation of RGB in [0, 1]: used by ImageNet encoders and by the paper, so not a setting."""

LARGEST = {
    "shift": 1.0, "scale": 0.9, "rotate_deg": 180.0, "brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5,
}  # fmt: skip
"""Largest meaningful value of each range: a scale of 1 would shrink an image to nothing; a hue of 0.5 is every hue."""


@dataclass(frozen=True)
class AugmentSettings:
    """Probabilities (``*_p``) and ranges of the transforms, applied in this order.

    Attributes:
        horizontal_flip_p: mirror left-right.
        vertical_flip_p: mirror up-down.
        quarter_turn_p: rotate by 0, 90, 180 or 270 degrees.
        affine_p: shift, scale and rotate; the outside is filled with black and background.
        shift: largest shift, as a share of the side.
        scale: largest change of scale.
        rotate_deg: largest angle, degrees.
        noise_p: Gaussian noise, independent in each channel.
        noise_std: smallest and largest standard deviation of the noise, as a share of the full range.
        jitter_p: colour jitter.
        brightness: largest change of the brightness factor.
        contrast: largest change of the contrast factor.
        saturation: largest change of the saturation factor.
        hue: largest shift of the hue, as a share of the colour circle.
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
        """Check the ranges; the comparisons are written so that NaN fails them."""
        for name, value in vars(self).items():
            if name.endswith("_p") and not 0 <= value <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {value}")
        for name, largest in LARGEST.items():
            if not 0 <= getattr(self, name) <= largest:
                raise ValueError(f"{name} must be 0 to {largest:g}, got {getattr(self, name)}")
        low, high = self.noise_std
        if not 0 <= low <= high <= 1:
            raise ValueError(f"noise_std must be two ascending numbers from 0 to 1, got {low} and {high}")


@dataclass(frozen=True)
class LossSettings:
    """Weights of the two terms and the smoothing constant.

    Attributes:
        cross_entropy: alpha in eq. 18, gamma in eq. 21.
        dice: beta in eq. 18, delta in eq. 21.
        epsilon: smoothing of the Dice term, eq. 19 and 22.
        dice_over: "image" sums the Dice term over each image, as the paper; "batch" over all images computed at once,
            which images without crack do not dominate.
    """

    cross_entropy: float
    dice: float
    epsilon: float
    dice_over: Literal["image", "batch"]

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not (0 <= self.cross_entropy < math.inf and 0 <= self.dice < math.inf and 0 < self.epsilon <= 1):
            raise ValueError("cross_entropy and dice must be at least 0, epsilon above 0 and at most 1")
        if self.cross_entropy + self.dice == 0:
            raise ValueError("cross_entropy and dice must not both be 0")


@dataclass(frozen=True)
class Plateau:
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without a better loss."""

    factor: float
    patience: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.factor < 1 or self.patience < 0:
            raise ValueError(
                f"factor must lie between 0 and 1 and patience be at least 0, got {self.factor} and {self.patience}"
            )


@dataclass(frozen=True)
class TrainSettings:
    """The section ``train`` of params.yaml, identical for all models; its comments explain each key."""

    encoder: str
    weights: str | None
    epochs: int
    epoch_items: int | None
    batch: int
    accumulate: int
    lr: float
    weight_decay: float
    schedule: Literal["plateau", "cosine"]
    plateau: Plateau
    stop_patience: int
    select_on: Literal["test", "validation"]
    precision: Literal["mixed", "float32"]
    loss: LossSettings
    augment: AugmentSettings
    augment_on: Literal["workers", "device"]
    device: Device
    threads: int | None
    workers: int | None
    deterministic: bool
    compile: bool
    checkpoint_minutes: float

    def __post_init__(self) -> None:
        """Check the ranges; the comparisons are written so that NaN fails them."""
        for name in ("epochs", "accumulate", "stop_patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.epoch_items is not None and self.epoch_items < 2:
            raise ValueError(f"epoch_items must be at least 2 or null, got {self.epoch_items}")
        if self.batch < 2:
            raise ValueError("batch must be at least 2: batch normalisation needs more than one image")
        if self.accumulate > self.batch // 2:
            raise ValueError(f"accumulate must be at most {self.batch // 2}, half of batch, got {self.accumulate}")
        if not 0 < self.lr <= 10:
            raise ValueError(f"lr must be above 0 and at most 10, got {self.lr}")
        if not 0 <= self.weight_decay <= 10:
            raise ValueError(f"weight_decay must be 0 to 10, got {self.weight_decay}")
        if self.threads is not None and not 1 <= self.threads <= 4096:
            raise ValueError(f"threads must be 1 to 4096 or null, got {self.threads}")
        if self.workers is not None and not 0 <= self.workers <= 4096:
            raise ValueError(f"workers must be 0 to 4096 or null, got {self.workers}")
        if not 0 <= self.checkpoint_minutes < math.inf:
            raise ValueError(f"checkpoint_minutes must be at least 0, got {self.checkpoint_minutes}")

    @property
    def micro_batch(self) -> int:
        """Number of images computed at once."""
        return math.ceil(self.batch / self.accumulate)

    @property
    def predict_batch(self) -> int:
        """Number of images predicted at once: up to 16, as a pass without gradients needs a fraction of the memory."""
        return max(self.micro_batch, min(16, 4 * self.micro_batch))
