"""Rewrite an encoded mask as a grey PNG: 255 where there is a crack, else 0."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from bench.data.decode import opened


def binary_mask(content: bytes, value: int | None, name: str) -> bytes:
    """Return a mask as PNG, EXIF rotation applied: 255 on crack, else 0.

    A mask that is such a PNG already is returned unchanged.

    Args:
        content: the encoded mask.
        value: value of crack as stored: a grey level, the first channel of a colour, or the index in a palette. None:
            crack is what is brighter than half the grey range; the indices of a palette count by their colour.
        name: how errors name the mask.

    Raises:
        UserError: the mask cannot be decoded.
    """
    with opened(Path(name), content) as stored:
        image, is_png = ImageOps.exif_transpose(stored), stored.format == "PNG"
        labels = np.asarray(image if value is not None else image.convert("L"))
    labels = labels[..., 0] if labels.ndim == 3 else labels
    crack = labels > 127 if value is None else labels == value
    binary = np.where(crack, 255, 0).astype(np.uint8)
    if image.mode == "L" and is_png and np.array_equal(labels, binary):
        return content
    buffer = io.BytesIO()
    Image.fromarray(binary).save(buffer, "PNG")
    return buffer.getvalue()
