"""Measure how the shapes of two masks differ: surface distances, connected pieces, widths, matched centrelines."""

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import KDTree

from bench.metrics.crack_size import length_px

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.float64]

MATCH_SHARE = 0.0075
"""Greatest distance of matched pixels, as a share of the diagonal. **Source:** the BSDS benchmark's ``maxDist``; Yang
2019, FPHBN, doi 10.1109/TITS.2019.2910595, uses it for cracks."""

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
"""A pixel and the four neighbours that make it a border pixel if they are outside."""


def count_shapes(pred: Mask, true: Mask, skeleton_pred: Mask, skeleton_true: Mask) -> dict[str, float]:
    """Return the columns ``scores.SHAPES`` of one image.

    Args:
        pred: predicted crack, (H, W).
        true: crack, (H, W).
        skeleton_pred: skeleton of the prediction, (H, W).
        skeleton_true: skeleton of the truth, (H, W).
    """
    limit_px = match_limit_px(pred)
    diagonal_px = float(np.hypot(*pred.shape))
    part = _around(pred | true)
    pred, true, skeleton_pred, skeleton_true = (mask[part] for mask in (pred, true, skeleton_pred, skeleton_true))
    hausdorff, mean = surface_distances(pred, true, diagonal_px)
    return {
        "hausdorff95_px": hausdorff, "surface_distance_px": mean,
        "pieces_pred": pieces(pred), "pieces_true": pieces(true),
        "width_max_pred": widest(pred), "width_max_true": widest(true),
        "length_pred": length_px(skeleton_pred), "length_true": length_px(skeleton_true),
        "skeleton_matched": matched(skeleton_pred, skeleton_true, limit_px),
    }  # fmt: skip


def surface_distances(pred: Mask, true: Mask, diagonal_px: float) -> tuple[float, float]:
    """Return the Hausdorff distance at 95 % and the mean surface distance of two masks, px.

    Both are over the distances from each border pixel of one mask to the nearest of the other: the greater of the two
    95th percentiles, and the mean of all. NaN if both masks are empty, ``diagonal_px`` if one is.
    """
    if not pred.any() or not true.any():
        none = float("nan") if pred.any() == true.any() else diagonal_px
        return none, none
    edges = _edge(pred), _edge(true)
    there, back = _to(edges[1])[edges[0]], _to(edges[0])[edges[1]]
    greatest = max(np.percentile(there, 95), np.percentile(back, 95))
    return float(greatest), float(np.concatenate([there, back]).mean())


def pieces(mask: Mask) -> int:
    """Return the number of connected pieces, eight neighbours each: Betti number 0.

    >>> pieces(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
    2
    """
    return int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0]) - 1


def widest(mask: Mask) -> float:
    """Return the greatest width of a mask, px: the diameter of the largest disc inside.

    Measured at twice the resolution, where bars of even and of odd width have a middle. The image edge is no
    background. 0 for an empty mask; nan if the mask fills the image.

    >>> [widest(np.pad(np.ones((width, 30), bool), 9)) for width in (1, 2, 3, 4)]
    [1.0, 2.0, 3.0, 4.0]
    """
    if not mask.any():
        return 0.0
    return float("nan") if mask.all() else float(_to(~np.kron(mask, np.ones((2, 2), bool))).max())


def match_limit_px(mask: Mask) -> float:
    """Return the greatest distance of matched pixels in an image of this shape, px."""
    return MATCH_SHARE * float(np.hypot(*mask.shape))


def matched(one: Mask, other: Mask, limit_px: float) -> int:
    """Return how many pixels of two skeletons can be paired one to one, at most ``limit_px`` apart.

    >>> line = np.zeros((100, 100), bool); line[50, 10:20] = True
    >>> matched(line, np.roll(line, 1, 0), 2), matched(line, np.roll(line, 3, 0), 2)
    (10, 0)
    """
    points = [np.argwhere(mask) for mask in (one, other)]
    if not len(points[0]) or not len(points[1]):
        return 0
    near = KDTree(points[0]).query_ball_tree(KDTree(points[1]), limit_px + 1e-9)
    rows = np.repeat(np.arange(len(near)), [len(n) for n in near])
    columns = np.concatenate([np.asarray(n, np.intp) for n in near])
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), (len(points[0]), len(points[1]))).tocsr()
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def _edge(mask: Mask) -> Mask:
    """Return the pixels of a mask with a neighbour, of four, outside; outside the image is outside the mask."""
    inner = cv2.erode(mask.astype(np.uint8), CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    edge: Mask = mask & (np.asarray(inner) == 0)
    return edge


def _around(mask: Mask) -> tuple[slice, slice]:
    """Return the part of an image around a mask, with a margin of one pixel; all of it for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return slice(None), slice(None)
    return slice(max(0, rows[0] - 1), rows[-1] + 2), slice(max(0, columns[0] - 1), columns[-1] + 2)


def _to(mask: Mask) -> Distances:
    """Return the distance of each pixel to the nearest one of a mask, px."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(np.square(away, dtype=np.float64)))  # whole squares: float32 rounds differently each time
