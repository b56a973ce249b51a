"""Measures of how difficult an image is: contrast at the crack, crack width and share, background texture."""

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from skimage.morphology import skeletonize

RING_PX = (3, 9)
"""The background for comparison lies between these distances from the crack, px. The nearest pixels are left out
because labels are not that precise."""

HARD = {
    "contrast": (-1, "low contrast at the crack"),
    "width_px": (-1, "thin crack"),
    "share_pct": (-1, "little crack in the image"),
    "texture": (1, "rough texture"),
}
"""Measure -> whether a high (1) or a low (-1) value makes an image difficult, and the label of that case."""

EXTREME = 0.9
"""A measure is named as a likely cause if the image is harder in it than at least this share of the others."""

FEWEST = 10
"""Number of other images without which none is called unusual."""


def difficulty(image: npt.NDArray[np.uint8], true: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the measures of an image (H, W, 3) with its true mask (H, W); NaN without cracks.

    contrast: mean grey level of the background around the crack minus that of the crack, divided by the standard
    deviation of this background (positive for a dark crack). width_px: area divided by skeleton length. share_pct:
    percentage of pixels. texture: mean gradient of the background (Sobel, grey levels per px).
    """
    if not true.any():
        return dict.fromkeys(HARD, float("nan"))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    distance = cv2.distanceTransform((~true).astype(np.uint8), cv2.DIST_L2, 5)
    ring = (distance > RING_PX[0]) & (distance <= RING_PX[1])
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    background = distance > RING_PX[0]
    around = grey[ring] if ring.any() else np.array([np.nan])
    deviation = max(float(around.std()), 1.0)
    length = int(skeletonize(true).sum())  # type: ignore[no-untyped-call]
    return {
        "contrast": float(around.mean() - grey[true].mean()) / deviation,
        "width_px": float(true.sum()) / max(1, length),
        "share_pct": 100 * float(true.mean()),
        "texture": float(slope[background].mean()) if background.any() else float("nan"),
    }


def likely_cause(measured: pd.DataFrame, item: str) -> str:
    """Return the measures of one image, and which of them is the most extreme in the difficult direction.

    Args:
        measured: ``difficulty`` of every test image of a dataset, by item.
        item: name of the image.

    >>> table = pd.DataFrame({"contrast": [1.0] + 10 * [2.0], "width_px": 4.0, "share_pct": 1.0, "texture": 2.0})
    >>> print(likely_cause(table, 0))
    likely: low contrast at the crack (harder than 10 of 10 others)
    contrast 1.0, width 4.0 px, share 1.00 %, texture 2.0
    """
    own, others = measured.loc[item], measured.drop(index=item)
    harder = {
        k: float((sign * others[k] < sign * own[k]).mean()) if len(others) else 0.0 for k, (sign, _) in HARD.items()
    }
    most = max(harder, key=lambda k: harder[k])
    numbers = (
        f"contrast {own['contrast']:.1f}, width {own['width_px']:.1f} px, share {own['share_pct']:.2f} %, "
        f"texture {own['texture']:.1f}"
    )
    if len(others) < FEWEST:
        return f"likely cause: too few images to tell\n{numbers}"
    if harder[most] < EXTREME:
        return f"likely: no measure is unusual\n{numbers}"
    beaten = round(harder[most] * len(others))
    return f"likely: {HARD[most][1]} (harder than {beaten} of {len(others)} others)\n{numbers}"
