"""UPerNet (Xiao et al. 2018, arXiv:1807.10221): pyramid pooling on top of a feature pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "UPerNet"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models.smp import build_smp

    return build_smp("UPerNet", channels, classes, encoder, weights)
