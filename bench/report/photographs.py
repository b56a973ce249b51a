"""Source images in the report: prepared/ and runs/ -> the images of the page, and what Figures 4, 5, 7 and 8 show."""

import base64
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.data.views import of_tiles, view, whole
from bench.formats import predictions, prepared
from bench.formats.scores import COUNTS
from bench.plugins import load
from bench.ranking.results import ENTERED, EXTERNAL, Results

Array = npt.NDArray[np.uint8]

EXTREMES = 3
"""Number of worst and of best images of a cell on the page."""

ORANGE, BLUE = (0xD5, 0x5E, 0x00), (0x0B, 0x5C, 0xFF)


class Photographs:
    """Prepared datasets and predictions on disk, read on demand.

    Args:
        results: the results.
        datasets: ids of the datasets to show.
        models: ids of the models to show, in order of preference.
        prepared_folder: folder with the prepared datasets; may be missing.
        runs: folder with the runs; may be missing.
    """

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
                del self.data[name]  # re-prepared after evaluation; the images no longer match the results

    def models(self, dataset: str) -> list[str]:
        """Return the shown models whose predictions on a dataset are on disk, in order of preference."""
        return [m for m in self.shown if (self._run(dataset, m) / "probabilities").is_dir()]

    def pair(self, dataset: str, item: str) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Return image (H, W, 3) and true mask (H, W) of an item."""
        data = self.data[dataset]
        image = view(data, item)
        pixels = whole(data, image.rows, image.places, [np.asarray(data.images[row]) for row in image.rows])
        return pixels, (image.mask > 0) & (image.mask != prepared.IGNORED)

    def ignored(self, dataset: str, item: str) -> npt.NDArray[np.bool_]:
        """Return the pixels (H, W) of an item that count neither in training nor in scores."""
        return np.asarray(view(self.data[dataset], item).mask == prepared.IGNORED, np.bool_)

    def predicted(self, dataset: str, model: str, item: str) -> npt.NDArray[np.bool_]:
        """Return the predicted mask (H, W) of an item."""
        data = self.data[dataset]
        read_item = partial(predictions.read_one, self._run(dataset, model) / "probabilities")
        return of_tiles(data, read_item)(view(data, item)) >= 128

    def first_and_entered(self, dataset: str) -> list[str]:
        """Return of the models with predictions on a dataset the first one, and all that were entered or scored."""
        models = self.models(dataset)
        return [m for m in models if m == models[0] or self.results.trained(m) in (ENTERED, EXTERNAL)]

    def gates(self, dataset: str) -> Iterator[tuple[str, str, list[Array]]]:
        """Yield models that saved gates, the first item with gates, and these gates from coarse to fine.

        These are the first model with gates, and those entered or scored that have gates of the same sizes.
        """
        expected: list[int] = []
        for model in self.models(dataset):
            folder = self._run(dataset, model) / "gates"
            if saved := sorted(folder.glob("*/*.png")):
                item = saved[0].stem
                sides = sorted(int(p.parent.name) for p in folder.glob(f"*/{item}.png"))
                if not expected or (sides == expected and self.results.trained(model) in (ENTERED, EXTERNAL)):
                    expected = sides
                    yield model, item, [predictions.read_one(folder / str(s), item, (s, s)) for s in sides]

    def by_iou(self, dataset: str, model: str) -> pd.DataFrame:
        """Return item and crack IoU of the test images of a cell, worst first: columns of ``iou``."""
        return self.iou[(self.iou["dataset"] == dataset) & (self.iou["model"] == model)]

    @cached_property
    def iou(self) -> pd.DataFrame:
        """Crack IoU of test images with cracks, worst first, of the seed shown: dataset, model, item, seed, iou."""
        images = self.results.images[self.results.images["skeleton_true"] > 0]
        images = images[images["seed"] == images.groupby(["dataset", "model"])["seed"].transform("min")]
        values = load("metrics", "crack_iou").compute(*images[COUNTS].to_numpy(float).T)
        frame = images[["dataset", "model", "item", "seed"]].assign(iou=values)
        return frame.sort_values(["dataset", "model", "iou", "item"], ignore_index=True)

    def _run(self, dataset: str, model: str) -> Path:
        """Return the folder of a run, of the lowest seed."""
        seed = min((c["seed"] for c in self.results.cells if (c["dataset"], c["model"]) == (dataset, model)), default=0)
        return self.runs / dataset / model / str(seed)


def images(photographs: Photographs) -> tuple[dict[str, list[dict[str, Any]]], dict[str, bytes]]:
    """Return the worst and best images of each cell, "<dataset>/<model>" -> rows for the page, and their files.

    Addresses in the rows are keys of the files: paths relative to reports/.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    files: dict[str, bytes] = {}
    for dataset in photographs.data:
        for model in photographs.models(dataset):
            of_cell = rows.setdefault(f"{dataset}/{model}", [])
            seeds = [c["seed"] for c in photographs.results.cells if (c["dataset"], c["model"]) == (dataset, model)]
            seed = {"seed": min(seeds)} if len(seeds) > 1 else {}
            for kind, item, iou in _extremes(photographs.by_iou(dataset, model)):
                base = f"photographs/{dataset}/{item}"
                image, true = photographs.pair(dataset, item)
                if f"{base}.jpg" not in files:
                    files[f"{base}.jpg"] = _encode(image[..., ::-1], ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80])
                    files[f"{base}.truth.png"] = _mask(true, BLUE)
                files[f"{base}.{model}.png"] = _mask(photographs.predicted(dataset, model, item), ORANGE)
                addresses = {"photo": f"{base}.jpg", "truth": f"{base}.truth.png", "pred": f"{base}.{model}.png"}
                of_cell.append({"kind": kind, "item": item, "iou": round(iou, 4)} | seed | addresses)
    return rows, files


def data_uri(path: str, content: bytes) -> str:
    """Return a file as a data URI."""
    kind = {"jpg": "jpeg"}.get(path.rsplit(".", 1)[1], path.rsplit(".", 1)[1])
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def as_jpeg(png: bytes) -> bytes:
    """Return a figure of source images as JPEG, about a fifth of the size of the PNG."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return _encode(np.asarray(picture, np.uint8), ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 82])


def _extremes(ordered: pd.DataFrame) -> Iterator[tuple[str, str, float]]:
    """Yield kind, item and IoU of the worst and best images, each at most once."""
    count = min(EXTREMES, len(ordered) // 2 + len(ordered) % 2)
    low, high = ordered.head(count), ordered.tail(min(EXTREMES, len(ordered) - count)).iloc[::-1]
    for kind, part in (("worst", low), ("best", high)):
        yield from ((kind, str(item), float(iou)) for item, iou in zip(part["item"], part["iou"], strict=True))


def _mask(mask: npt.NDArray[np.bool_], colour: tuple[int, int, int]) -> bytes:
    """Return a mask as PNG: two-thirds opaque colour where true, otherwise transparent."""
    painted = np.zeros((*mask.shape, 4), np.uint8)
    painted[mask] = (*colour[::-1], 170)
    return _encode(painted, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _encode(array: Array, suffix: str, options: list[int]) -> bytes:
    """Return an image (BGR) in the format of a suffix."""
    return bytes(cv2.imencode(suffix, array, options)[1])
