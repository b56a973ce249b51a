"""Context-CrackNet without RFEM (Agyei Kyem et al., 2025, DOI 10.1016/j.conbuildmat.2025.141583).

The authors' configuration of table 6: without RFEM their decoder has no skip connections. CAGM's output is computed and
its parameters are counted, but the logits do not depend on it: for the same weights they equal those of the baseline.
See `context_cracknet_cagm_skip` for an ablation in which CAGM has an effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "CAGM Only"

# Computed as in the authors' code, but not used by the decoder.
UNUSED = ("cagm",)


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H = W = image_size."""
    from bench.models._context_cracknet import ContextCrackNet

    return ContextCrackNet(channels, classes, image_size, encoder, weights, skips="none", cagm=True)
