"""UNet++ (Zhou et al., 2020, arXiv:1912.05074): U-Net with nested, dense skip connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "UNetPlusPlus"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models.smp import build_smp

    return build_smp("UnetPlusPlus", channels, classes, encoder, weights)
