"""MA-Net (Fan et al., 2020, DOI 10.1109/ACCESS.2020.3025372): attention over positions and over scales.

This is the MA-Net that segmentation-models-pytorch implements, and it has the 147.44 M parameters of the paper's table
7; the paper itself cites another network of that name, for remote sensing (Li et al., 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAME = "MANet"


def build(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module:
    """Return the network: images (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 32."""
    from bench.models.smp import build_smp

    return build_smp("MAnet", channels, classes, encoder, weights)
