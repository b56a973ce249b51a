"""Context-CrackNet, CAGM and plain skips (Agyei Kyem et al., 2025, DOI 10.1016/j.conbuildmat.2025.141583).

Not in the paper: the fair counterpart of "CAGM Only" in its table 6. RFEM's gates are removed and the skip connections
are kept (concatenated unchanged), so that CAGM's output reaches the decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "CAGM + Plain Skips"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H = W = image_size."""
    from bench.models._context_cracknet import ContextCrackNet

    return ContextCrackNet(channels, classes, image_size, encoder, weights, skips="plain", cagm=True)
