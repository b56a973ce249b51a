"""Build an architecture of segmentation-models-pytorch; nine of the models use this."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def build_smp(architecture: str, channels: int, classes: int, encoder: str, weights: str | None) -> nn.Module:
    """Return a network of segmentation-models-pytorch with the library's defaults for all other arguments.

    The network maps images (B, channels, H, W) to logits (B, classes, H, W); classes = 1 is binary. It is fully
    convolutional, so H and W are not fixed here. Decoder and head use the library's initialisation (He-uniform and
    Xavier-uniform), the encoder uses ``weights`` or, for None, its own initialisation.

    Args:
        architecture: name of the class in the library, such as "Unet".
        channels: channels of the input image.
        classes: number of logits per pixel.
        encoder: name of an encoder of the library, such as "resnet50".
        weights: name of the encoder's pretrained weights, such as "imagenet", or None.

    Raises:
        UserError: the encoder is unknown, or its weights cannot be loaded.
        RuntimeError: from the network's call, if H or W is not a multiple of the encoder's output stride (U-Net accepts
            any size).

    Source: the paper's section 4 names the library; its parameter counts (table 7) match the library's defaults.
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
