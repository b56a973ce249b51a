"""The network of Context-CrackNet and of its ablation variants.

Source: Agyei Kyem, Asamoah and Aboah, Construction and Building Materials 484, 2025, 141583,
DOI 10.1016/j.conbuildmat.2025.141583. Its equations and its algorithm boxes disagree (residual or concatenation,
decoder from CAGM's output or from the encoder's last stage); this is the interpretation that gives the 82.05 M
parameters of its table 7 (82,050,597 with ResNet50 at 448 x 448 px) and, for the same weights, the outputs of the
authors' model.

The paper does not specify the following; the choices made here are:
- dropout (0.1): on the attention weights after the softmax, and nowhere else, as in Linformer (arXiv:2006.04768)
  and the transformer it is based on (arXiv:1706.03762);
- initialisation: PyTorch's defaults in every layer; the two N x k projections of the sequence from N(0, 1/k), the
  random projection that preserves lengths on average and from which Linformer's proofs start.
"""

from itertools import pairwise
from typing import Literal

import torch
from segmentation_models_pytorch.encoders import get_encoder
from torch import Tensor, nn
from torch.nn import functional as F

from bench.models.packaged import PACKAGED, library_name, load_packaged
from bench.models.weights import check_encoder, fetch_weights

Skips = Literal["gated", "plain", "none"]

STRIDE = 32  # five stages of the encoder, each halving the image
CAGM_STRIDE = 16  # CAGM works on the features of the fourth stage
PROJECTED_TOKENS = 256  # k in eq. 8
HEADS = 8
DROPOUT = 0.1


class ContextCrackNet(nn.Module):
    """An encoder, global context (CAGM) on its features at 1/16, and a decoder with gated skip connections (RFEM).

    The decoder's width at each scale is that of the encoder's features, so that any encoder with features at 1/2 to
    1/32 can be used.

    Args:
        channels: channels of the input image.
        classes: number of logits per pixel.
        image_size: height and width of the input images, px; a multiple of 32.
        encoder: name of an encoder of segmentation-models-pytorch, such as "resnet50".
        weights: name of the encoder's pretrained weights, such as "imagenet", or None.
        skips: "gated": RFEM on the skip connections; "plain": skip connections concatenated unchanged; "none": no skip
            connections, as in the authors' code when RFEM is off.
        cagm: whether CAGM is applied to the skip connection at 1/16. With skips = "none" its output is computed but not
            used, as in the authors' code: its parameters and multiply-adds count, the logits do not depend on it.

    Raises:
        ValueError: the image size or the encoder is not supported.
        UserError: the encoder is unknown, or its weights cannot be loaded.

    Source: figure 1 and algorithm 1.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        image_size: int,
        encoder: str,
        weights: str | None,
        *,
        skips: Skips,
        cagm: bool,
    ) -> None:
        super().__init__()
        if image_size <= 0 or image_size % STRIDE:
            raise ValueError(f"image size {image_size} px: Context-CrackNet requires a multiple of {STRIDE} px.")
        check_encoder(encoder)
        is_packaged = encoder in PACKAGED
        if weights is not None and not is_packaged:
            fetch_weights(encoder, weights)
        self.image_size = image_size
        self.encoder = get_encoder(
            library_name(encoder), in_channels=channels, depth=5, weights=None if is_packaged else weights
        )
        if is_packaged:
            load_packaged(self.encoder, encoder, weights)
        widths: list[int] = list(self.encoder.out_channels[1:])
        if len(widths) != 5 or min(widths) < 2 or (cagm and widths[3] % HEADS):
            raise ValueError(
                f"encoder {encoder!r} does not fit Context-CrackNet, which requires features at 1/2 to 1/32, and at "
                f"1/16 a multiple of {HEADS} channels; it has {widths} channels. Use resnet50, for example."
            )
        self.cagm = ContextAwareGlobal(widths[3], (image_size // CAGM_STRIDE) ** 2) if cagm else None
        self.decoder = nn.ModuleList(DecoderStage(below, width, skips) for below, width in pairwise(reversed(widths)))
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes, H, W) of images (B, channels, H, W).

        Raises:
            ValueError: H or W differs from the size the network was built for.
        """
        return self._run(images)[0]

    @property
    def has_gates(self) -> bool:
        """Whether this variant has RFEM."""
        return self.decoder[0].gate is not None

    def gates(self, images: Tensor) -> list[Tensor]:
        """Return RFEM's four gates for images (B, channels, H, W), in decoder order: at 1/16, 1/8, 1/4, 1/2 of H, W.

        Each is (B, 1, h, w) in [0, 1]: the factor on the skip connection, where 1 passes it unchanged. They are
        computed as in ``forward``, in the network's current mode: call ``eval()`` first for the gates of a prediction.

        Raises:
            ValueError: this variant has no RFEM, or H or W differs from the size the network was built for.

        Source: eq. 14, figure 7.
        """
        gates = self._run(images)[1]
        if not gates:
            raise ValueError("this variant of Context-CrackNet has no RFEM and thus no gates: use context_cracknet.")
        return gates

    def _run(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        # While tracing, as for counting multiply-adds, sizes are tensors and each comparison emits a warning.
        if not torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            self._check_size(images)
        *skips, x = self.encoder(images)[1:]
        if self.cagm is not None:
            skips[-1] = self.cagm(skips[-1])
        gates: list[Tensor] = []
        for stage, skip in zip(self.decoder, reversed(skips), strict=True):
            x, gate = stage(x, skip)
            gates += [] if gate is None else [gate]
        logits = self.head(x)
        return F.interpolate(logits, size=images.shape[-2:], mode="bilinear", align_corners=False), gates

    def _check_size(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        if self.cagm is not None and (height, width) != (self.image_size, self.image_size):
            raise ValueError(
                f"images of {height} x {width} px, but the network was built for {self.image_size} x {self.image_size} "
                "px, and CAGM's projections work at that size only. Resize the images, or build and train a network "
                "for their size."
            )
        if height % STRIDE or width % STRIDE:
            raise ValueError(f"images of {height} x {width} px: both sides must be multiples of {STRIDE} px.")


class ContextAwareGlobal(nn.Module):
    """CAGM: one pre-norm transformer block with linear self-attention over the positions of a feature map.

    Args:
        width: channels C of the feature map, a multiple of 8.
        tokens: number N of its positions.

    Source: section 3.3, eq. 6-11; keys and values are projected from N to k = 256 along the sequence (eq. 8).
    """

    def __init__(self, width: int, tokens: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.key_projection = nn.Parameter(torch.randn(tokens, PROJECTED_TOKENS) / PROJECTED_TOKENS**0.5)
        self.value_projection = nn.Parameter(torch.randn(tokens, PROJECTED_TOKENS) / PROJECTED_TOKENS**0.5)
        self.dropout = nn.Dropout(DROPOUT)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return features (B, C, h, w) with global context, in the same shape; h w must be the number of tokens."""
        x = features.flatten(2).transpose(1, 2)  # B, N, C
        x = x + self._attend(self.attention_norm(x))
        x = x + self.feed_forward(x)
        with_context: Tensor = x.transpose(1, 2).reshape_as(features)
        return with_context

    def _attend(self, x: Tensor) -> Tensor:
        query = _heads(self.query(x))  # B, heads, N, d
        key = _heads(self.key_projection.T @ self.key(x))  # B, heads, k, d
        value = _heads(self.value_projection.T @ self.value(x))
        # Not scaled_dot_product_attention, whose multiply-adds fvcore cannot count.
        weights = (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(dim=-1)
        context: Tensor = self.out((self.dropout(weights) @ value).transpose(1, 2).flatten(2))
        return context


class RegionFocusedGate(nn.Module):
    """RFEM's gate: a factor in [0, 1] for each position of a skip connection, computed from it and the decoder.

    Source: section 3.4, eq. 12-14.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.from_decoder = nn.Sequential(nn.Conv2d(width, half, kernel_size=1), nn.BatchNorm2d(half))
        self.from_skip = nn.Sequential(nn.Conv2d(width, half, kernel_size=1), nn.BatchNorm2d(half))
        self.factor = nn.Sequential(nn.ReLU(), nn.Conv2d(half, 1, kernel_size=1), nn.Sigmoid())

    def forward(self, upsampled: Tensor, skip: Tensor) -> Tensor:
        """Return the gate (B, 1, h, w) for two maps (B, C, h, w)."""
        gate: Tensor = self.factor(self.from_decoder(upsampled) + self.from_skip(skip))
        return gate


class DecoderStage(nn.Module):
    """One stage of the decoder: upsample by two, concatenate the skip connection, convolve twice.

    Source: algorithm 3 and eq. 15-17; eq. 16 puts the channels of the skip connection first.
    """

    def __init__(self, below: int, width: int, skips: Skips) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, width, kernel_size=2, stride=2)
        self.gate = RegionFocusedGate(width) if skips == "gated" else None
        self.has_skip = skips != "none"
        joined = 2 * width if self.has_skip else width
        self.fuse = nn.Sequential(*_convolution(joined, width), *_convolution(width, width))

    def forward(self, x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return features (B, width, 2h, 2w) for x (B, below, h, w) and skip (B, width, 2h, 2w), and any gate."""
        x = self.up(x)
        gate = None if self.gate is None else self.gate(x, skip)
        if self.has_skip:
            x = torch.cat([skip if gate is None else skip * gate, x], dim=1)
        return self.fuse(x), gate


def _heads(x: Tensor) -> Tensor:
    """Return (B, T, C) as (B, heads, T, C / heads)."""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)


def _convolution(width_in: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(width_in, width, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
