"""Table of IoU and Dice by class, for datasets of several classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.render.tables import Table

TITLES = {"iou": "IoU", "dice": "Dice"}

NOTES = (
    "Each class against all others, by the likeliest class of each pixel; ignored pixels are left out.",
    "mean: over the classes, background included, that occur in the truth or in the prediction. It is neither crack "
    "IoU, which takes all classes but background as one, nor the paper's mIoU, which is crack IoU.",
    "95 % interval: hierarchical bootstrap over the source images of the test split and the seeds; empty if there is "
    "only one source image, or if a class is in some of the resampled images only.",
)


def class_table(scores: pd.DataFrame, average: str, names: Mapping[str, str], notes: Sequence[str]) -> Table:
    """Return a row per dataset, model and class, and one for the mean over classes.

    Args:
        scores: columns dataset, model, class; iou and dice, each also with _low and _high, NaN where undefined.
        average: how images and seeds are averaged, for the caption.
        names: id -> display name.
        notes: which classes count as crack in the rest of the report.
    """
    rows = []
    for entry in scores.to_dict("records"):
        row = {"Dataset": names[entry["dataset"]], "Model": names[entry["model"]], "Class": entry["class"]}
        for metric, title in TITLES.items():
            low, high = entry[f"{metric}_low"], entry[f"{metric}_high"]
            row[title] = entry[metric]
            row[f"{title}, 95 % interval"] = f"{low:.3f}–{high:.3f}" if np.isfinite([low, high]).all() else ""
        rows.append(row)
    digits = dict.fromkeys(TITLES.values(), 4)
    return Table("classes", f"Scores by class ({average}).", pd.DataFrame(rows), digits, [*NOTES, *notes])
