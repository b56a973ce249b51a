"""PSPNet (Zhao et al., 2017, arXiv:1612.01105): pyramid pooling over the encoder's features at 1/8."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "PSPNet"

# The library builds the whole ResNet but runs only its first half: these parameters are counted and never used.
UNUSED = ("encoder.layer3", "encoder.layer4")


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 8."""
    from bench.models.smp import build_smp

    return build_smp("PSPNet", channels, classes, encoder, weights)
