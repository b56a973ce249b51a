"""The published conventions of scoring, each as the script that it is from computes it, from the score files."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.formats.scores import CELL
from bench.metrics.ratios import f1, iou
from bench.ranking.results import Results

HEADLINE = "iou_pooled"
"""Convention that the order of models under the others is compared with."""

Images = pd.DataFrame


def _resized(images: Images, of: Callable[..., np.ndarray]) -> float:
    """Return a ratio of the counts at 256 x 256 px, pooled."""
    return float(of(*images[["tp_256px", "fp_256px", "fn_256px"]].sum(skipna=False).to_numpy(float)))


def _f1_of_batches(images: Images, size: int) -> float:
    """Return the mean F1 of batches of images in the order of their names, without those in which tp is 0."""
    ordered = images.sort_values("item", kind="stable")[["tp", "fp", "fn"]].to_numpy(float)
    sums = np.add.reduceat(ordered, np.arange(0, len(ordered), size))
    found = sums[sums[:, 0] > 0]
    return float(f1(*found.T).mean()) if len(found) else float("nan")


def _dice_of_cracked(images: Images) -> float:
    """Return the mean Dice of the images with crack; one without is skipped, whatever is predicted in it."""
    cracked = images[images["tp"] + images["fn"] > 0]
    return float(f1(*cracked[["tp", "fp", "fn"]].to_numpy(float).T).mean()) if len(cracked) else float("nan")


def _iou_or_one(images: Images) -> float:
    """Return the mean crack IoU of the images; 1 for an image where neither truth nor prediction has crack."""
    return float(np.nan_to_num(iou(*images[["tp", "fp", "fn"]].to_numpy(float).T), nan=1.0).mean())


def _ois_or_zero(images: Images) -> float:
    """Return the mean over images of the best F1 of each, 0 for an image without crack."""
    best = images["best_f1"].where(images["tp"] + images["fn"] > 0, 0.0)
    return float(best.mean(skipna=False))


def _cracked_share(images: Images) -> float:
    """Return the share of images with crack: what a mean over these is multiplied by if the others count as 0."""
    return float((images["tp"] + images["fn"] > 0).mean())


@dataclass(frozen=True)
class Convention:
    """A published way to score.

    Attributes:
        name: what is computed.
        script: the code or paper that computes it so.
        metric: metric and average in ``Results.summary``; None if ``of_images`` computes it.
        of_images: rows of ``Results.images`` of one cell -> value, or factor of the metric if there is one.
    """

    name: str
    script: str
    metric: tuple[str, str] | None = None
    of_images: Callable[[Images], float] | None = None


CONVENTIONS = {
    HEADLINE: Convention("Crack IoU, pooled", 'smp iou_score, "micro"', ("crack_iou", "pooled")),
    "iou_images": Convention("Crack IoU, per image, empty = 1", 'smp iou_score, "micro-imagewise"', None, _iou_or_one),
    "iou_batch": Convention("Crack IoU, per batch", "Context-CrackNet, Tables 3 to 5", ("crack_iou", "batch_mean")),
    "iou_256px": Convention(
        "Crack IoU, pooled, at 256 px", "loaders that squeeze to 256 px", None, lambda images: _resized(images, iou)
    ),
    "miou_pooled": Convention("Two-class mIoU, pooled", "DeepSegmentor (DeepCrack)", ("mean_iou", "pooled")),
    "miou_best": Convention("Two-class mIoU, best threshold", "SCSegamba", ("miou_best", "image_mean")),
    "aiu": Convention("AIU, per image, empty = 0", "FPHBN", ("aiu_all_images", "image_mean")),
    "f1_pooled": Convention("F1, pooled", "DeepSegmentor (DeepCrack)", ("f1", "pooled")),
    "dice_images": Convention("Dice, per image, empty skipped", "MONAI DiceMetric", None, _dice_of_cracked),
    "f1_batch_4": Convention(
        "F1, per batch of 4, tp = 0 skipped", "Context-CrackNet, config", None, lambda i: _f1_of_batches(i, 4)
    ),
    "f1_batch_32": Convention(
        "F1, per batch of 32, tp = 0 skipped", "Context-CrackNet, Table 2", None, lambda i: _f1_of_batches(i, 32)
    ),
    "f1_256px": Convention(
        "F1, pooled, at 256 px", "loaders that squeeze to 256 px", None, lambda images: _resized(images, f1)
    ),
    "ods": Convention("ODS: F1, best threshold, pooled", "DeepSegmentor (DeepCrack)", ("ods", "pooled")),
    "ods_images_zero": Convention(
        "ODS: best mean F1, empty = 0", "SCSegamba", ("ods_image_mean", "image_mean"), _cracked_share
    ),
    "ois": Convention("OIS: F1, each image's threshold, pooled", "BSDS", ("ois", "pooled")),
    "ois_images": Convention("OIS: mean of best F1", "CrackFormer", ("ois_image_mean", "image_mean")),
    "ois_images_zero": Convention("OIS: mean of best F1, empty = 0", "SCSegamba", None, _ois_or_zero),
    "f1_2px": Convention("F1, tolerance 2 px, pooled", "CrackTree", ("f1_2px", "pooled")),
    "f1_5px": Convention("F1, tolerance 5 px, pooled", "CrackForest", ("f1_5px", "pooled")),
    "f1_thin": Convention("F1, thinned, matched one to one", "BSDS, FPHBN", ("f1_matched_thin", "pooled")),
    "iou_thin": Convention("Centreline IoU, 4 px", "OmniCrack30k", ("centreline_iou_4px_thin", "pooled")),
    "cl_dice": Convention("clDice, pooled", "clDice", ("cl_dice", "pooled")),
}
"""Id -> convention; each is higher for a better model."""


def by_convention(results: Results) -> pd.DataFrame:
    """Return every score, the mean over seeds: columns dataset, model, then one per convention.

    NaN where a convention is undefined, or where a score file does not record what it needs.
    """
    cells = dict(list(results.images.groupby(CELL)))
    recorded = results.summary.set_index([*CELL, "metric", "average"])["value"]
    rows = []
    for cell, images in cells.items():
        values = {}
        for name, convention in CONVENTIONS.items():
            metric, of_images = convention.metric, convention.of_images
            value = float(recorded.get((*cell, *metric), np.nan)) if metric else 1.0
            values[name] = value * of_images(images) if of_images else value
        rows.append(dict(zip(CELL, cell, strict=True)) | values)
    frame = pd.DataFrame(rows, columns=[*CELL, *CONVENTIONS])
    means: pd.DataFrame = frame.groupby(["dataset", "model"], as_index=False)[list(CONVENTIONS)].mean(skipna=False)
    return means
