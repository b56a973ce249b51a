"""Figures 4, 5, 7 and 8 of the report, which show source images: augmentation, comparison, gates and failures."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from bench.data.views import views
from bench.render import panels
from bench.report.difficulty import difficulty, likely_cause
from bench.report.photographs import Photographs
from bench.training.settings import AugmentSettings

Array = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

COMPARED = ("manet", "pspnet", "deeplabv3plus", "fpn")
"""Models that Figure 5 of the paper compares with its own."""

COMPARED_COLUMNS = 5
"""Maximum number of predictions in a row of Figure 5."""

AUGMENTED = ("deepcrack", "cfd")
"""Dataset of Figure 4 as in the paper; then the next one available, then any."""

AUGMENTED_IMAGES = 6
"""Number of images in Figure 4, evenly spaced among the training images sorted by their share of crack pixels."""


def figure_4(photographs: Photographs) -> Figure | None:
    """Return every transform of the augmentation, always applied, on some training images, with the runs' settings.

    None without runs, images or albumentations, which reports do not otherwise need.
    """
    settings = next((c["settings"]["train"].get("augment") for c in photographs.results.cells), None)
    available = [d for d in (*AUGMENTED, *photographs.data) if d in photographs.data]
    if not available or not settings:
        return None
    try:
        from bench.training.augment import augment, build_augmentation
    except ModuleNotFoundError:
        return None
    images, masks = _augmented_images(photographs, available[0])
    rows = [("original", images, [mask > 0 for mask in masks])]
    for name, title in panels.TRANSFORMS.items():
        alone = settings | {k: float(k == name) for k in settings if k.endswith("_p")}
        transform = build_augmentation(AugmentSettings(**alone | {"noise_std": tuple(settings["noise_std"])}))
        drawn = [
            _visible_draw(transform, augment, *pair, number)
            for number, pair in enumerate(zip(images, masks, strict=True))
        ]
        rows.append((title, [image for image, _ in drawn], [mask > 0 for _, mask in drawn]))
    return panels.augmentations(rows)


def _augmented_images(photographs: Photographs, dataset: str) -> tuple[list[Array], list[Array]]:
    """Return the training images and masks of Figure 4."""
    data = photographs.data[dataset]
    training = data.split("train")
    ordered = training[np.argsort(data.items["crack_share"].to_numpy()[training], kind="stable")]
    count = min(AUGMENTED_IMAGES, len(ordered))
    rows = ordered[np.linspace(0, len(ordered) - 1, count + 2).round().astype(int)[1:-1]]
    return [np.asarray(data.images[row]) for row in rows], [np.asarray(data.masks[row]) for row in rows]


def _visible_draw(transform: Any, augment: Any, image: Array, mask: Array, number: int) -> tuple[Array, Array]:
    """Return the first draw that changes the image visibly: a quarter turn may draw 0 or 180 degrees."""
    draws = (augment(transform, image, mask, (0, number, k)) for k in range(12))
    plain = image, image[::-1, ::-1]
    return next((d for d in draws if not any(np.array_equal(d[0], p) for p in plain)), (image, mask))


def compared(photographs: Photographs) -> list[str]:
    """Return the models of Figure 5 whose predictions are on disk; the first one is compared with the others.

    The first is the preferred model, then come those entered or scored, those of the paper's figure, and others up to
    ``COMPARED_COLUMNS``.
    """
    available = [m for m in photographs.shown if any(m in photographs.models(d) for d in photographs.data)]
    entered = [m for m in available if any(m in photographs.first_and_entered(d)[1:] for d in photographs.data)]
    others = [*entered, *(m for m in COMPARED if m in available), *available]
    return list(dict.fromkeys([*available[:1], *others]))[:COMPARED_COLUMNS]


def figure_5(photographs: Photographs) -> Figure | None:
    """Return a row per dataset: the image with the first model's median IoU, its truth and the predictions."""
    names, rows, ignored = photographs.results.names, [], []
    columns = compared(photographs)
    for dataset in photographs.data:
        available = photographs.models(dataset)
        if not columns or columns[0] not in available:
            continue
        ordered = photographs.by_iou(dataset, columns[0])
        if ordered.empty:  # no test image has a crack
            continue
        item = ordered["item"].iloc[(len(ordered) - 1) // 2]
        masks = [photographs.predicted(dataset, m, item) if m in available else None for m in columns]
        rows.append((names[dataset], *photographs.pair(dataset, item), masks))
        ignored.append(photographs.ignored(dataset, item))
    return panels.comparison(rows, [names[m] for m in columns], ignored) if rows else None


def figure_7(photographs: Photographs) -> Figure | None:
    """Return RFEM's gates over the image, beside the prediction; a row per dataset and model, if several have gates."""
    rows, ignored, names = [], [], photographs.results.names
    for dataset in photographs.data:
        for number, (model, item, gates) in enumerate(photographs.gates(dataset)):
            prediction = photographs.predicted(dataset, model, item)
            title = f"{names[dataset]},\n{names[model]}" if number else names[dataset]
            rows.append((title, *photographs.pair(dataset, item), gates, prediction))
            ignored.append(photographs.ignored(dataset, item))
    return panels.gates(rows, ignored) if rows else None


def figure_8(photographs: Photographs) -> Figure | None:
    """Return the worst image of each dataset, of the preferred model and of those entered, with how difficult it is."""
    rows, ignored = [], []
    for dataset in photographs.data:
        models = [m for m in photographs.first_and_entered(dataset) if not photographs.by_iou(dataset, m).empty]
        measured = _difficulties(photographs, dataset) if models else pd.DataFrame()  # else: no test image has a crack
        for model in models:
            row, unknown = _worst(photographs, dataset, model, measured)
            rows.append(row)
            ignored.append(unknown)
    return panels.failures(rows, ignored) if rows else None


def _difficulties(photographs: Photographs, dataset: str) -> pd.DataFrame:
    """Return the measures of difficulty of each test image, by its name."""
    tests = [image.name for image in views(photographs.data[dataset], "test")]
    return pd.DataFrame([difficulty(*photographs.pair(dataset, name)) for name in tests], index=tests)


def _worst(
    photographs: Photographs, dataset: str, model: str, measured: pd.DataFrame
) -> tuple[tuple[str, Array, Mask, Mask, str], Mask]:
    """Return the panel of a model's worst image: title, image, truth, prediction, likely cause; and what is ignored."""
    names, worst = photographs.results.names, photographs.by_iou(dataset, model).iloc[0]
    image, true = photographs.pair(dataset, worst["item"])
    cause = likely_cause(measured.dropna(subset="share_pct"), worst["item"])
    title = f"{names[dataset]}, {names[model]}, IoU {worst['iou']:.3f}"
    ignored = photographs.ignored(dataset, worst["item"])
    return (title, image, true, photographs.predicted(dataset, model, worst["item"]) & ~ignored, cause), ignored
