"""Count the pixels of one image for all metrics: by threshold, with tolerance, on centrelines and boundaries."""

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

from bench.metrics import aiu, average_precision, expected_calibration_error
from bench.metrics.histogram import at_best_threshold, curves, histogram
from bench.metrics.moved_labels import count_moved_labels
from bench.metrics.ratios import f1
from bench.metrics.shape import count_shapes, match_limit_px, matched
from bench.metrics.thinning import thin

Levels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Curve = npt.NDArray[np.int64]

HALF = 128
"""The level floor(256 p) of p = 0.5."""

TOLERANCES_PX = (2, 5)

CENTRELINE_PX = 4

RESIZED_PX = 256
"""Side to which some scripts resize prediction and truth before they compare them."""

BOUNDARY_SHARE = 0.02
"""Width of a boundary, as a share of the diagonal. **Source:** Cheng 2021, doi 10.1109/CVPR46437.2021.01508."""


def count_image(levels: Levels, true: Mask, known: Mask | None = None) -> tuple[dict[str, float], Curve]:
    """Return the row of one image in images.csv (column -> value), and its counts by threshold.

    Args:
        levels: floor(256 p), (H, W).
        true: crack, (H, W).
        known: pixels that count, (H, W); where they do not, ``levels`` and ``true`` must be 0. None: all.
    """
    of_known = histogram(levels, true) if known is None else histogram(levels[known], true[known])
    curve = _threshold_counts(of_known)
    pred = levels >= HALF
    tp, fp, fn = (int(n) for n in curve[HALF])
    counted = true.size if known is None else int(known.sum())
    values: dict[str, float] = {"tp": tp, "fp": fp, "fn": fn, "tn": counted - tp - fp - fn}
    values["ignored"] = true.size - counted
    for tolerance in TOLERANCES_PX:
        hits = tolerant_hits(pred, true, tolerance)
        values |= dict(zip((f"pred_hit_{tolerance}px", f"true_hit_{tolerance}px"), hits, strict=True))
    values |= {column: float(value[0]) for column, value in at_best_threshold(of_known[None]).items()}
    thin_pred, thin_true = (skeletonize(mask) for mask in (pred, true))  # type: ignore[no-untyped-call]
    values |= _skeleton_counts(pred, true, thin_pred, thin_true) | count_shapes(pred, true, thin_pred, thin_true)
    values |= count_moved_labels(pred, true, thin_true, known) | _thinned_counts(pred, true)
    values |= _resized_counts(pred, true)
    return values | _boundary_counts(pred, true) | curve_metrics(curve), curve


def threshold_counts(levels: Levels, true: Mask) -> Curve:
    """Return tp, fp and fn at ``levels >= t`` for t = 0..255, (256, 3), computed from one histogram.

    Args:
        levels: floor(256 p), (H, W).
        true: crack, (H, W).

    >>> counts = threshold_counts(np.array([[0, 200]], np.uint8), np.array([[False, True]]))
    >>> counts[[0, 128, 201]].tolist()
    [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    """
    return _threshold_counts(histogram(levels, true))


def _threshold_counts(of_image: npt.NDArray[np.int64]) -> Curve:
    return np.stack(curves(of_image), axis=1).astype(np.int64)


def f1_curve(curve: Curve) -> npt.NDArray[np.float64]:
    """Return F1 at each threshold, (256,); nan where there is no crack."""
    return f1(*curve.T) if curve[0, 0] else np.full(len(curve), np.nan)


def curve_metrics(curve: Curve) -> dict[str, float]:
    """Return the curve metrics that are defined for a single image or batch: column in the score files -> value."""
    metrics = (aiu, average_precision, expected_calibration_error)
    return {str(metric.INPUT.image_column): float(metric.compute(*curve.T)) for metric in metrics}


def tolerant_hits(pred: Mask, true: Mask, tolerance_px: int) -> tuple[int, int]:
    """Return the number of pixels of ``pred`` within the tolerance of ``true``, and the reverse.

    Distances are Euclidean between pixel centres, px; 0 pixels are near an empty mask. Dilating a mask by a disc gives
    the same pixels as thresholding its distance map and is twenty times faster.
    """
    near_true, near_pred = (
        cv2.dilate(mask.view(np.uint8), _disc(tolerance_px)).view(np.bool_)
        for mask in (np.ascontiguousarray(true), np.ascontiguousarray(pred))
    )
    return int((pred & near_true).sum()), int((true & near_pred).sum())


def boundary(mask: Mask) -> Mask:
    """Return the pixels of a mask within 2 % of the image diagonal of its contour; the image edge is a contour too."""
    width_px = max(1, round(BOUNDARY_SHARE * float(np.hypot(*mask.shape))))
    padded = np.pad(mask.astype(np.uint8), 1)
    inner = np.asarray(cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width_px))[1:-1, 1:-1]
    edge: Mask = mask & (inner == 0)
    return edge


def _disc(radius_px: int) -> npt.NDArray[np.uint8]:
    """Return a disc of 1s in an array of 0s, (2 r + 1, 2 r + 1)."""
    offsets = np.arange(-radius_px, radius_px + 1)
    return (offsets[:, None] ** 2 + offsets**2 <= radius_px**2).astype(np.uint8)


def _skeleton_counts(pred: Mask, true: Mask, skeleton_pred: Mask, skeleton_true: Mask) -> dict[str, float]:
    """Return lengths and hits of the skeletons, thinned by scikit-image after Zhang and Suen 1984."""
    pred_near, true_near = tolerant_hits(skeleton_pred, skeleton_true, CENTRELINE_PX)
    return {
        "skeleton_pred": int(skeleton_pred.sum()),
        "skeleton_pred_hit": int((skeleton_pred & true).sum()),
        "skeleton_true": int(skeleton_true.sum()),
        "skeleton_true_hit": int((skeleton_true & pred).sum()),
        f"centreline_pred_hit_{CENTRELINE_PX}px": pred_near,
        f"centreline_true_hit_{CENTRELINE_PX}px": true_near,
    }


def _thinned_counts(pred: Mask, true: Mask) -> dict[str, float]:
    """Return lengths, hits and matches of the lines thinned as ``thin`` of scikit-image does."""
    line_pred, line_true = thin(pred), thin(true)
    pred_near, true_near = tolerant_hits(line_pred, line_true, CENTRELINE_PX)
    return {
        "thin_pred": int(line_pred.sum()),
        "thin_true": int(line_true.sum()),
        f"thin_pred_hit_{CENTRELINE_PX}px": pred_near,
        f"thin_true_hit_{CENTRELINE_PX}px": true_near,
        "thin_matched": matched(line_pred, line_true, match_limit_px(pred)),
    }


def _resized_counts(pred: Mask, true: Mask) -> dict[str, float]:
    """Return the counts after resizing both masks to 256 x 256 px; each pixel is that nearest to its centre."""
    places = [((np.arange(RESIZED_PX) + 0.5) * side / RESIZED_PX).astype(np.intp) for side in pred.shape]
    small = np.ix_(*places)
    pred, true = pred[small], true[small]
    tp = int((pred & true).sum())
    return {
        f"tp_{RESIZED_PX}px": tp,
        f"fp_{RESIZED_PX}px": int(pred.sum()) - tp,
        f"fn_{RESIZED_PX}px": int(true.sum()) - tp,
    }


def _boundary_counts(pred: Mask, true: Mask) -> dict[str, float]:
    """Return the sizes of both boundaries and of their intersection."""
    pred_edge, true_edge = boundary(pred), boundary(true)
    both = int((pred_edge & true_edge).sum())
    return {"boundary_both": both, "boundary_pred": int(pred_edge.sum()), "boundary_true": int(true_edge.sum())}
