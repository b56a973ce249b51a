"""DeepLabV3+ (Chen et al., 2018, arXiv:1802.02611): DeepLabV3 with separable convolutions and a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "DeepLabV3Plus"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 16."""
    from bench.models.smp import build_smp

    return build_smp("DeepLabV3Plus", channels, classes, encoder, weights)
