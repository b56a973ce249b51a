"""LinkNet (Chaurasia and Culurciello, 2017, arXiv:1707.03718): a decoder that adds the encoder's features."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "LinkNet"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models.smp import build_smp

    return build_smp("Linknet", channels, classes, encoder, weights)
