"""FPN (Kirillov et al., 2019, arXiv:1901.02446): features of all scales, summed top-down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "FPN"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models.smp import build_smp

    return build_smp("FPN", channels, classes, encoder, weights)
