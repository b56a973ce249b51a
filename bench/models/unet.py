"""U-Net (Ronneberger et al., 2015, arXiv:1505.04597): a decoder that concatenates the encoder's features."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "UNet"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); any H and W."""
    from bench.models.smp import build_smp

    return build_smp("Unet", channels, classes, encoder, weights)
