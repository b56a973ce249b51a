"""DeepLabV3 (Chen et al., 2017, arXiv:1706.05587): a dilated encoder and atrous spatial pyramid pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "DeepLabV3"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 8."""
    from bench.models.smp import build_smp

    return build_smp("DeepLabV3", channels, classes, encoder, weights)
