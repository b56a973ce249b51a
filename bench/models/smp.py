"""What the nine architectures of segmentation-models-pytorch share: how one is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def build_smp(architecture: str, channels: int, classes: int, encoder: str, weights: str | None) -> nn.Module:
    """Return an architecture of segmentation-models-pytorch with the library's defaults for all that is not named here.

    The network takes images (B, channels, H, W) and returns logits (B, classes, H, W); binary is classes = 1. It is
    fully convolutional: no argument fixes H and W. Decoder and head start from the library's initialisation
    (He-uniform and Xavier-uniform), the encoder from ``weights`` or, for None, from its own.

    Args:
        architecture: name of the class in the library, such as "Unet".
        channels: colours of the input image.
        classes: number of logits for each pixel.
        encoder: name of an encoder of the library, such as "resnet50".
        weights: name of the encoder's pretrained weights, such as "imagenet", or None.

    Raises:
        UserError: there is no such encoder, or its weights cannot be had.
        RuntimeError: when called, if H or W is not a multiple of the encoder's output stride (U-Net alone takes every
            size).

    Source: the paper's section 4 names the library; its parameter counts (table 7) are those of the defaults.
    """
    import segmentation_models_pytorch as smp

    from bench.models.packaged import PACKAGED, library_name, load_packaged
    from bench.models.weights import check_encoder, fetch_weights

    check_encoder(encoder)
    is_packaged = encoder in PACKAGED
    if weights is not None and not is_packaged:
        fetch_weights(encoder, weights)
    network: nn.Module = getattr(smp, architecture)(
        encoder_name=library_name(encoder),
        encoder_weights=None if is_packaged else weights,
        in_channels=channels,
        classes=classes,
    )
    if is_packaged:
        load_packaged(network.encoder, encoder, weights)
    return network
