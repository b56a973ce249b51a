"""Summarise counts: every metric of each cell under every average."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.errors import UserError
from bench.formats import scores


def summarise(images: pd.DataFrame, curves: pd.DataFrame, batches: pd.DataFrame) -> pd.DataFrame:
    """Return every metric of each cell under every average that the metric defines.

    Columns: dataset, model, seed, metric, average, value. For all cells at once, counts are summed per cell, per batch
    or not at all; then the metric is computed, then the mean over its defined values. Metrics of columns that no score
    file has are left out.
    """
    if not len(images):
        return pd.DataFrame(columns=[*scores.CELL, "metric", "average", "value"])
    images = images.assign(**{c: np.nan for c in scores.DERIVED_IMAGES if c not in images})
    curves = curves.assign(**{c: np.nan for c in scores.DERIVED_CURVES if c not in curves})
    numbers = images.drop(columns=["item", "photo"])
    of_batch = batches.set_index([*scores.CELL, "batch"]).astype(float)
    counts = numbers.drop(columns=of_batch.columns)
    groups = {
        "pooled": counts.groupby(scores.CELL).sum(skipna=False),
        "batch_mean": counts.groupby([*scores.CELL, "batch"]).sum(skipna=False).join(of_batch),
        "image_mean": numbers.set_index(scores.CELL),
    }
    unrecorded = {column for column in scores.LATER if column not in images or images[column].isna().all()}
    metrics = {name: plugins.load("metrics", name) for name in plugins.names("metrics")}
    metrics = {name: metric for name, metric in metrics.items() if not unrecorded & set(metric.INPUT.columns)}
    parts = []
    for average, part in groups.items():
        columns = {n: of_images(m, part, average) for n, m in metrics.items() if average in m.INPUT.averages}
        table = pd.DataFrame({n: v for n, v in columns.items() if v is not None}, part.index)
        parts.append(table.groupby(level=scores.CELL).mean().assign(average=average))
        of_curve = {n: metrics[n] for n, v in columns.items() if v is None}
        parts.append(_of_curves(of_curve, curves).assign(average=average))
    order = [*scores.CELL, "metric", "average"]
    long = [part.reset_index().melt([*scores.CELL, "average"], var_name="metric") for part in parts]
    return pd.concat(long).sort_values(order, ignore_index=True)[[*order, "value"]]


def of_images(metric: Any, groups: pd.DataFrame, average: str) -> Any:
    """Return a metric of each group of images; None if it is computed from the curve."""
    if metric.INPUT.over == "images":
        return metric.compute(*groups[list(metric.INPUT.columns)].to_numpy(float).T)
    column = metric.INPUT.image_column
    return groups[column].to_numpy(float) if average != "pooled" and column else None


def _of_curves(metrics: Mapping[str, Any], curves: pd.DataFrame) -> pd.DataFrame:
    """Return metrics of the counts by threshold of each cell: one column per metric, indexed by cell."""
    ordered = curves.sort_values([*scores.CELL, "threshold"])
    cells = ordered[ordered["threshold"] == 0].set_index(scores.CELL).index
    if len(ordered) != 256 * len(cells):
        raise UserError("curves.csv must hold the thresholds 0 to 255 of each cell: evaluate these cells again.")
    names = ("tp", "fp", "fn", "f1_mean", *scores.DERIVED_CURVES)
    of_column = {c: ordered[c].to_numpy(float).reshape(-1, 256) for c in names}
    values = {n: m.compute(*(of_column[c] for c in m.INPUT.columns)) for n, m in metrics.items()}
    return pd.DataFrame(values, cells)
