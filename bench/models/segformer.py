"""SegFormer's all-MLP decoder (Xie et al. 2021, arXiv:2105.15203) on the encoder that all models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "SegFormer"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models.smp import build_smp

    return build_smp("Segformer", channels, classes, encoder, weights)
