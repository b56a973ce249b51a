"""Context-CrackNet, plain skips, no CAGM (Agyei Kyem et al., 2025, DOI 10.1016/j.conbuildmat.2025.141583).

Not in the paper: the fair baseline for its table 6. RFEM's gates are removed and the skip connections are kept
(concatenated unchanged).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "Plain Skips"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models._context_cracknet import ContextCrackNet

    return ContextCrackNet(channels, classes, image_size, encoder, weights, skips="plain", cagm=False)
