"""Known faults of the datasets' items, and results without the items that have one."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats.scores import BATCHES, CELL
from bench.metrics import aiu, average_precision, expected_calibration_error
from bench.metrics.histogram import curves as curves_of
from bench.metrics.ratios import f1
from bench.ranking.derived import with_derived
from bench.ranking.results import Results
from bench.ranking.summary import summarise
from bench.render.tables import Table

LIST = Path(__file__).parents[1] / "datasets" / "errata.csv"
"""Columns: dataset, item, fault, found_by, source. The item * is the whole dataset, of which nothing is left out."""

WHOLE = "*"


@cache
def errata() -> pd.DataFrame:
    """Return the list of known faults."""
    return pd.read_csv(LIST, dtype=str, keep_default_na=False)


def tested(results: Results) -> pd.DataFrame:
    """Return the items with known faults that are among the test images of these results."""
    images = results.images[["dataset", "item"]].drop_duplicates()
    return errata()[["dataset", "item"]].drop_duplicates().merge(images, on=["dataset", "item"])


def without_errata(results: Results) -> Results:
    """Return the results without the test images that have a known fault; batches keep their other images.

    Raises:
        UserError: a dataset with such images has no histograms of the images, so that its curves cannot be computed.
    """
    listed = tested(results)
    if listed.empty:
        return results
    known = pd.MultiIndex.from_frame(listed[["dataset", "item"]])
    kept, of_classes = (
        ~pd.MultiIndex.from_frame(frame[["dataset", "item"]]).isin(known) for frame in (results.images, results.classes)
    )
    images, histograms = results.images[kept].reset_index(drop=True), results.histograms[kept]
    changed = images["dataset"].isin(listed["dataset"]).to_numpy()
    if (histograms[changed].sum(axis=(1, 2)) == 0).any():
        names = ", ".join(sorted(set(listed["dataset"])))
        raise UserError(f"the scores of {names} have no histograms of the images: evaluate again to leave out images.")
    summary, curves = _again(images[changed].reset_index(drop=True), histograms[changed])
    left = {k: f[~f["dataset"].isin(listed["dataset"])] for k, f in (("s", results.summary), ("c", results.curves))}
    removed = listed.groupby("dataset").size()
    cards = {d: _smaller(card, int(removed.get(d, 0))) for d, card in results.cards.items()}
    return replace(
        results, images=images, histograms=histograms, cards=cards, classes=results.classes[of_classes],
        summary=pd.concat([left["s"], summary], ignore_index=True),
        curves=pd.concat([left["c"], curves], ignore_index=True),
        baselines=None if results.baselines is None else without_errata(results.baselines),
    )  # fmt: skip


def errata_table(results: Results) -> Table:
    """Return the known faults of the datasets of these results."""
    listed = errata()[errata()["dataset"].isin(results.datasets)]
    among = set(map(tuple, tested(results)[["dataset", "item"]].to_numpy()))
    frame = pd.DataFrame(
        {
            "Dataset": listed["dataset"].map(results.names), "Item": listed["item"].replace(WHOLE, "all"),
            "Fault": listed["fault"], "Found by": listed["found_by"], "Source": listed["source"],
        }
    )  # fmt: skip
    pairs = zip(listed["dataset"], listed["item"], strict=True)
    frame["Test image"] = ["yes" if pair in among else "" for pair in pairs]
    notes = ["`bench leaderboard --without-errata` ranks without the test images of this list."]
    caption = "Errata: known faults of images and labels."
    return Table("errata", caption, frame.reset_index(drop=True), {}, notes)


def scores_without(results: Results, average: str) -> Table | None:
    """Return crack IoU with and without the listed test images; None if no test image is listed."""
    listed = tested(results)
    if listed.empty:
        return None
    with_all, less = (_crack_iou(part, average) for part in (results, without_errata(results)))
    counts = listed.groupby("dataset").size()
    rows = []
    for dataset, model in with_all.index:
        if dataset in counts.index:
            full, reduced = float(with_all[dataset, model]), float(less[dataset, model])
            rows.append(
                {
                    "Dataset": results.names[dataset], "Model": results.names[model], "Listed": int(counts[dataset]),
                    "With": full, "Without": reduced, "Difference": reduced - full,
                    "Place with": _place(with_all[dataset], model), "Place without": _place(less[dataset], model),
                }
            )  # fmt: skip
    caption = f"Crack IoU ({results.spelled(average)}) with and without the test images of the errata, mean over seeds."
    digits = dict.fromkeys(["With", "Without", "Difference"], 4)
    return Table("errata_scores", caption, pd.DataFrame(rows), digits)


def _crack_iou(results: Results, average: str) -> "pd.Series[float]":
    """Return crack IoU by dataset and model, the mean over seeds."""
    table = results.summary[(results.summary["metric"] == "crack_iou") & (results.summary["average"] == average)]
    return table.groupby(["dataset", "model"])["value"].mean()


def _place(values: "pd.Series[float]", model: Any) -> int:
    return 1 + int((values > values[model]).sum())


def _smaller(card: dict[str, Any], removed: int) -> dict[str, Any]:
    """Return a card with fewer test images."""
    return card | {"test_images": card.get("test_images", card["counts"]["test"]) - removed} if removed else card


def _again(images: pd.DataFrame, histograms: npt.NDArray[np.uint32]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the summary and the curves of some images, computed from their counts and histograms."""
    curves, batches = [], []
    for cell, rows in images.groupby(CELL, sort=False):
        key: dict[str, Any] = dict(zip(CELL, cell, strict=True))
        of_cell = histograms[rows.index].astype(np.float64)
        tp, fp, fn = curves_of(of_cell.sum(0))
        scores = f1(*curves_of(of_cell))[of_cell[:, 0].sum(1) > 0]
        mean = scores.mean(0) if len(scores) else np.nan
        counts = {"threshold": range(256), "tp": tp, "fp": fp, "fn": fn, "f1_mean": mean}
        curves.append(pd.DataFrame(counts).assign(**key))
        for batch, part in rows.groupby("batch"):
            pooled = curves_of(histograms[part.index].astype(np.float64).sum(0))
            batches.append(key | {"batch": batch} | {m: float(c(*pooled)) for m, c in CURVE_METRICS.items()})
    images, curve = with_derived(images, pd.concat(curves, ignore_index=True), histograms)
    return summarise(images, curve, pd.DataFrame(batches, columns=BATCHES)), curve


CURVE_METRICS = {m.INPUT.image_column: m.compute for m in (aiu, average_precision, expected_calibration_error)}
"""Metrics of a curve that a batch has: column of batches.csv -> function."""
