"""Columns of the score files that follow from the histograms, computed when results are read."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.formats.scores import CELL
from bench.metrics.histogram import at_best_threshold, miou_curves

AT_ONCE = 512
"""Images at once, to bound memory: 1 MB for each array of counts by threshold, which the processor's cache holds."""


def with_derived(
    images: pd.DataFrame, curves: pd.DataFrame, histograms: npt.NDArray[np.uint32]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with the columns of ``scores.DERIVED_IMAGES`` and ``scores.DERIVED_CURVES``.

    Args:
        images: ``scores.IMAGES``, N rows; what the file has of the derived columns is replaced.
        curves: ``scores.CURVES``.
        histograms: of the images, (N, 2, 256); all zeros where they were not recorded, which gives NaN.
    """
    if not len(images):
        return images, curves
    cells = images.groupby(CELL, sort=False).ngroup().to_numpy()
    keys = images.loc[~pd.Series(cells, images.index).duplicated(), CELL]
    miou, parts = np.zeros((len(keys), 256)), []
    for start in range(0, len(images), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        parts.append(pd.DataFrame(at_best_threshold(histograms[part])))
        values = miou_curves(histograms[part])
        values[histograms[part].sum(axis=(1, 2)) == 0] = np.nan
        np.add.at(miou, cells[part], values)
    columns = pd.concat(parts).set_index(images.index)
    mean = (miou / np.bincount(cells)[:, None]).ravel()
    of_curve = keys.loc[keys.index.repeat(256)].assign(threshold=np.tile(np.arange(256), len(keys)), miou_mean=mean)
    return images.assign(**columns), curves.merge(of_curve, on=[*CELL, "threshold"], how="left")
