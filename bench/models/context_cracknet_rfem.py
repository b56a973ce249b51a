"""Context-CrackNet without CAGM (Agyei Kyem et al., 2025, DOI 10.1016/j.conbuildmat.2025.141583).

The authors' configuration of table 6: gated skip connections, with the encoder's features at 1/16 unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "RFEM Only"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models._context_cracknet import ContextCrackNet

    return ContextCrackNet(channels, classes, image_size, encoder, weights, skips="gated", cagm=False)
