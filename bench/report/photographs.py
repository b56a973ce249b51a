"""The report's photographs: prepared/ and runs/ -> figures 4, 5, 7, 8 and the images of the page."""

import base64
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from bench.formats import predictions, prepared
from bench.formats.scores import COUNTS
from bench.plugins import load
from bench.ranking.results import Results
from bench.render import panels
from bench.report.difficulty import difficulty, likely_cause
from bench.training.settings import AugmentSettings

Array = npt.NDArray[np.uint8]

REFERENCE = "context_cracknet"
"""The model of figures 7 and 8."""

FIGURE_5 = (REFERENCE, "manet", "pspnet", "deeplabv3plus", "fpn")
"""The models of figure 5; the first that is here is compared with the others."""

AUGMENTED = ("deepcrack", "cfd")
"""Dataset of figure 4 as in the paper; the next one where it is not there, then any."""

AUGMENTED_IMAGES = 6
"""Photographs of figure 4: evenly spread over the training images by their share of crack."""

EXTREMES = 3
"""Worst and best images of a cell on the page."""

ORANGE, BLUE = (0xD5, 0x5E, 0x00), (0x0B, 0x5C, 0xFF)


class Photographs:
    """The prepared datasets and predictions that are here, read when they are asked for."""

    def __init__(
        self, results: Results, datasets: Sequence[str], models: Sequence[str], prepared_folder: Path, runs: Path
    ) -> None:
        self.results, self.shown, self.runs = results, models, runs
        self.data = {
            d: prepared.read(prepared_folder / d, verify_arrays=False)
            for d in datasets
            if (prepared_folder / d / "card.json").is_file() and (runs / d).is_dir()
        }
        for name, data in list(self.data.items()):
            if data.card["content"] != self.results.cards[name]["content"]:
                del self.data[name]  # prepared anew since the results were made: its photographs are others

    def models(self, dataset: str) -> list[str]:
        """Return the models whose predictions on a dataset are here."""
        return [m for m in self.shown if (self._run(dataset, m) / "probabilities").is_dir()]

    def pair(self, dataset: str, item: str) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Return photograph (H, W, 3) and true mask (H, W) of an item."""
        data = self.data[dataset]
        row = int(np.flatnonzero(data.items["item"].to_numpy() == item)[0])
        return np.asarray(data.images[row]), data.masks[row] > 0

    def predicted(self, dataset: str, model: str, item: str) -> npt.NDArray[np.bool_]:
        """Return the predicted mask (H, W) of an item."""
        size = self.data[dataset].masks.shape[1:]
        return predictions.read_one(self._run(dataset, model) / "probabilities", item, size) >= 128

    def gates(self, dataset: str) -> tuple[str, list[Array]] | None:
        """Return the first item whose gates were written, and its gates, coarse to fine."""
        folder = self._run(dataset, REFERENCE) / "gates"
        found = sorted(folder.glob("*/*.png")) if REFERENCE in self.models(dataset) else []
        if not found:
            return None
        item = found[0].stem
        sides = sorted(int(p.parent.name) for p in folder.glob(f"*/{item}.png"))
        return item, [predictions.read_one(folder / str(s), item, (s, s)) for s in sides]

    @cached_property
    def iou(self) -> pd.DataFrame:
        """Crack IoU of each test image that has crack, of the seed shown, worst first: dataset, model, item, iou."""
        images = self.results.images[self.results.images["skeleton_true"] > 0]
        images = images[images["seed"] == images.groupby(["dataset", "model"])["seed"].transform("min")]
        values = load("metrics", "crack_iou").compute(*images[COUNTS].to_numpy(float).T)
        found = images[["dataset", "model", "item", "seed"]].assign(iou=values)
        return found.sort_values(["dataset", "model", "iou", "item"], ignore_index=True)

    def _run(self, dataset: str, model: str) -> Any:
        seed = min((c["seed"] for c in self.results.cells if (c["dataset"], c["model"]) == (dataset, model)), default=0)
        return self.runs / dataset / model / str(seed)


def figure_4(photographs: Photographs) -> Figure | None:
    """Return every transform of the augmentation on some training images, always applied, settings as in the runs.

    None where albumentations is not installed: a reviewer needs nothing of what trains.
    """
    settings = next((c["settings"]["train"].get("augment") for c in photographs.results.cells), None)
    known = [d for d in (*AUGMENTED, *photographs.data) if d in photographs.data]
    if not known or not settings:
        return None
    try:
        from bench.training.augment import augment, build_augmentation
    except ModuleNotFoundError:
        return None
    data = photographs.data[known[0]]
    tried = data.split("train")
    ordered = tried[np.argsort(data.items["crack_share"].to_numpy()[tried], kind="stable")]
    chosen = ordered[
        np.linspace(0, len(ordered) - 1, min(AUGMENTED_IMAGES, len(ordered)) + 2).round().astype(int)[1:-1]
    ]
    images = [np.asarray(data.images[row]) for row in chosen]
    masks = [np.asarray(data.masks[row]) for row in chosen]
    rows = [("original", images, [mask > 0 for mask in masks])]
    for name, title in panels.TRANSFORMS.items():
        alone = settings | {k: float(k == name) for k in settings if k.endswith("_p")}
        transform = build_augmentation(AugmentSettings(**alone | {"noise_std": tuple(settings["noise_std"])}))
        drawn = [
            _drawn(transform, augment, *pair, number) for number, pair in enumerate(zip(images, masks, strict=True))
        ]
        rows.append((title, [image for image, _ in drawn], [mask > 0 for _, mask in drawn]))
    return panels.augmentations(rows)


def _drawn(transform: Any, augment: Any, image: Array, mask: Array, number: int) -> tuple[Array, Array]:
    """Return the first draw that shows something: a quarter turn may be none or two."""
    draws = (augment(transform, image, mask, (0, number, k)) for k in range(12))
    plain = image, image[::-1, ::-1]
    return next((d for d in draws if not any(np.array_equal(d[0], p) for p in plain)), (image, mask))


def compared(photographs: Photographs) -> list[str]:
    """Return the models of figure 5 whose predictions are here."""
    return [m for m in FIGURE_5 if any(m in photographs.models(d) for d in photographs.data)]


def figure_5(photographs: Photographs) -> Figure | None:
    """Return a row per dataset: the image with the first model's median IoU, truth and predictions."""
    names, rows = photographs.results.names, []
    columns = compared(photographs)
    for dataset in photographs.data:
        here = photographs.models(dataset)
        if not columns or columns[0] not in here:
            continue
        ordered = _of(photographs.iou, dataset, columns[0])
        item = ordered["item"].iloc[(len(ordered) - 1) // 2]
        masks = [photographs.predicted(dataset, m, item) if m in here else None for m in columns]
        rows.append((names[dataset], *photographs.pair(dataset, item), masks))
    return panels.comparison(rows, [names[m] for m in columns]) if rows else None


def figure_7(photographs: Photographs) -> Figure | None:
    """Return RFEM's gates over the image, beside the prediction, a row per dataset whose run wrote them."""
    rows = []
    for dataset in photographs.data:
        if (found := photographs.gates(dataset)) is not None:
            item, gates = found
            prediction = photographs.predicted(dataset, REFERENCE, item)
            rows.append((photographs.results.names[dataset], *photographs.pair(dataset, item), gates, prediction))
    return panels.gates(rows) if rows else None


def figure_8(photographs: Photographs) -> Figure | None:
    """Return the reference model's worst image of each dataset, with what is measured to be hard about it."""
    rows = []
    for dataset, data in photographs.data.items():
        here = photographs.models(dataset)
        if not here:
            continue
        model = REFERENCE if REFERENCE in here else here[0]
        worst = _of(photographs.iou, dataset, model).iloc[0]
        tests = data.split("test")
        measured = pd.DataFrame(
            [difficulty(np.asarray(data.images[r]), data.masks[r] > 0) for r in tests],
            index=data.items["item"].iloc[tests],
        )
        image, true = photographs.pair(dataset, worst["item"])
        cause = likely_cause(measured.dropna(), worst["item"])
        title = f"{photographs.results.names[dataset]}, {photographs.results.names[model]}, IoU {worst['iou']:.3f}"
        rows.append((title, image, true, photographs.predicted(dataset, model, worst["item"]), cause))
    return panels.failures(rows) if rows else None


def images(photographs: Photographs) -> tuple[dict[str, list[dict[str, Any]]], dict[str, bytes]]:
    """Return the worst and best images of each cell, "<dataset>/<model>" -> rows for the page, and the files.

    Addresses in the rows are keys of the files: paths below reports/.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    files: dict[str, bytes] = {}
    for dataset in photographs.data:
        for model in photographs.models(dataset):
            found = rows.setdefault(f"{dataset}/{model}", [])
            seeds = [c["seed"] for c in photographs.results.cells if (c["dataset"], c["model"]) == (dataset, model)]
            seed = {"seed": min(seeds)} if len(seeds) > 1 else {}
            for kind, item, iou in _extremes(_of(photographs.iou, dataset, model)):
                base = f"photographs/{dataset}/{item}"
                image, true = photographs.pair(dataset, item)
                if f"{base}.jpg" not in files:
                    files[f"{base}.jpg"] = _encode(image[..., ::-1], ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80])
                    files[f"{base}.truth.png"] = _mask(true, BLUE)
                files[f"{base}.{model}.png"] = _mask(photographs.predicted(dataset, model, item), ORANGE)
                addresses = {"photo": f"{base}.jpg", "truth": f"{base}.truth.png", "pred": f"{base}.{model}.png"}
                found.append({"kind": kind, "item": item, "iou": round(iou, 4)} | seed | addresses)
    return rows, files


def data_uri(path: str, content: bytes) -> str:
    """Return a file as an address that holds it."""
    kind = {"jpg": "jpeg"}.get(path.rsplit(".", 1)[1], path.rsplit(".", 1)[1])
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def as_jpeg(png: bytes) -> bytes:
    """Return a figure of photographs as JPEG, a fifth of its size."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return _encode(np.asarray(picture, np.uint8), ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 82])


def _of(iou: pd.DataFrame, dataset: str, model: str) -> pd.DataFrame:
    return iou[(iou["dataset"] == dataset) & (iou["model"] == model)]


def _extremes(ordered: pd.DataFrame) -> Iterator[tuple[str, str, float]]:
    """Yield kind, item and IoU of the worst and the best images; none twice."""
    count = min(EXTREMES, len(ordered) // 2 + len(ordered) % 2)
    low, high = ordered.head(count), ordered.tail(min(EXTREMES, len(ordered) - count)).iloc[::-1]
    for kind, part in (("worst", low), ("best", high)):
        yield from ((kind, str(item), float(iou)) for item, iou in zip(part["item"], part["iou"], strict=True))


def _mask(mask: npt.NDArray[np.bool_], colour: tuple[int, int, int]) -> bytes:
    """Return a mask as PNG: the colour, two thirds opaque, where it is true, else transparent."""
    painted = np.zeros((*mask.shape, 4), np.uint8)
    painted[mask] = (*colour[::-1], 170)
    return _encode(painted, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _encode(array: Array, suffix: str, options: list[int]) -> bytes:
    return bytes(cv2.imencode(suffix, array, options)[1])
