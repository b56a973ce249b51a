"""Segment test items or images of any size with a run, an ONNX file or a torch.export file."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from bench.data.dataset import IMAGE_SUFFIXES
from bench.data.folder import listed
from bench.data.images import WHITE, read_image, white_level
from bench.errors import UserError
from bench.formats import files, predictions, prepared
from bench.metrics.crack_size import measure_cracks
from bench.render.csv_cells import csv_text
from bench.tools.load_network import DEFAULT_SIDE, load
from bench.tools.predictor import Image, Predictor, Prob
from bench.tools.tiling import ahead, squeezed, tiled

CRACK_BGR = (0, 0, 255)
CALL_PX = 448**2
"""Pixels in one call of a network, one tile at least: more are no faster in a thread of a CPU, and need more memory."""


@dataclass(frozen=True)
class Network:
    """What the user says about a network.

    Attributes:
        source: folder of a run, an .onnx or a .pt2 file.
        stated: what a file returns, "logits" or "probabilities"; None: found by a probe.
        output: name of a file's output that is the map; None: its only one.
        device: auto, cpu, cuda, mps or xpu.
    """

    source: Path
    stated: str | None = None
    output: str | None = None
    device: str = "auto"

    def load(self, side: int) -> tuple[Predictor, str]:
        """Return the network, for images of ``side`` px if it takes any size, and a remark on its output."""
        return load(self.source, self.stated, self.output, self.device, side)


@dataclass(frozen=True)
class View:
    """How images of any size are shown to a network.

    Attributes:
        scale: "native": tiles at the image's own scale; "trained": the whole image resized to the network's square, as
            `prepare.geometry: squeeze` does.
        tile: side of a tile, px; None: the network's image size.
        overlap: of neighbouring tiles, as a fraction of the side.
        mm_per_px: size of a pixel on the surface, mm; None: unknown.
    """

    scale: Literal["native", "trained"] = "native"
    tile: int | None = None
    overlap: float = 0.25
    mm_per_px: float | None = None


def on_dataset(network: Network, data_folder: Path, target: Path) -> str:
    """Write the probability maps of a dataset's test items, ready for `bench score`.

    If the network has the several classes of the dataset, the class of each pixel is written to the folder ``classes``.

    Raises:
        UserError: the network or the data cannot be read, or their image sizes differ.
    """
    data = prepared.read(data_folder)
    side = data.images.shape[1]
    predictor, remark = network.load(side)
    if predictor.side not in (None, side) and network.source.is_file():
        raise UserError(
            f"{network.source} takes {predictor.side} px, but {data_folder} has images of {side} px: export it again."
        )
    rows, shares, step = data.split("test"), [], _in_a_call(side, predictor)
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    with _threads(predictor) as pool:
        predicted = ahead(lambda part: predictor.of_classes(np.asarray(data.images[part])), parts, pool)
        bar = tqdm(predicted, desc=f"predict {data.card['dataset']}", unit="batch", total=len(parts))
        for part, (probs, likeliest, classes) in zip(parts, bar, strict=True):
            for row, prob, crack_class in zip(part, probs, likeliest, strict=True):
                item, levels = data.items["item"].iloc[row], predictions.quantise(prob)
                shares.append(float((prob >= 0.5).mean()))
                predictions.write_one(target, item, levels)
                if classes == data.card["classes"] > 1:
                    of_pixels = predictions.classes_of(levels, crack_class)
                    predictions.write_one(target / predictions.CLASSES, item, of_pixels)
                else:  # of another network
                    (target / predictions.CLASSES / f"{item}.png").unlink(missing_ok=True)
    return f"{len(rows)} probability maps are in {target}.{remark}{_doubt(predictor, shares)}"


def on_images(network: Network, folder: Path, target: Path, view: View) -> str:
    """Write probabilities/, masks/, overlays/ and cracks.csv of all images in a folder, of any size.

    Raises:
        UserError: the folder has no images, an image is unreadable, or the network cannot be read.
    """
    predictor, remark = network.load(view.tile or DEFAULT_SIDE)
    paths = _images(folder)
    white = white_level(paths)
    if network.source.is_file() and predictor.side and view.tile and view.tile != predictor.side:
        raise UserError(f"{network.source} takes {predictor.side} px only: omit --tile {view.tile}.")
    side = view.tile or predictor.side or DEFAULT_SIDE
    rows: list[Future[dict[str, Any]]] = []
    with _threads(predictor) as pool, ThreadPoolExecutor(2) as writers:
        for path, image in tqdm(_read_ahead(paths, white), desc="predict", unit="image", total=len(paths)):
            if view.scale == "trained":
                prob = squeezed(predictor.many, image, side)
            else:
                prob = tiled(predictor.many, image, side, view.overlap, _in_a_call(side, predictor), pool)
            rows.append(writers.submit(_write, target, path, image, prob, view.mm_per_px))
            if len(rows) > 2:
                rows[-3].result()  # at most two images wait to be written
    table = pd.DataFrame([row.result() for row in rows])
    files.write_text(target / "cracks.csv", csv_text(table, "%.4g"))
    doubt = _doubt(predictor, [share / 100 for share in table["crack_share_pct"]])
    scaled = "" if white == WHITE else f" White is {white} in the images of 16 bits."
    return f"{len(paths)} images: probabilities, masks, overlays and cracks.csv are in {target}.{scaled}{remark}{doubt}"


def _in_a_call(side: int, predictor: Predictor) -> int:
    """Return how many squares of a side, px, are given to the network at a time."""
    return max(1, CALL_PX // side**2) * (1 if predictor.workers > 1 else 4)


def _threads(predictor: Predictor) -> ThreadPoolExecutor:
    """Return the threads that call the network."""
    return ThreadPoolExecutor(predictor.workers, initializer=predictor.start_worker)


def _images(folder: Path) -> list[Path]:
    paths = [path for path in listed(folder, IMAGE_SUFFIXES) if path.parent == folder]
    if not paths:
        raise UserError(f"{folder} contains no images ({', '.join(sorted(IMAGE_SUFFIXES))}): choose another folder.")
    of_stem: dict[str, Path] = {}
    for path in paths:
        if (other := of_stem.setdefault(path.stem, path)) != path:
            raise UserError(f"{path} and {other.name} would be written to the same file: rename one of them.")
    return paths


def _read_ahead(paths: list[Path], white: int) -> Iterator[tuple[Path, Image]]:
    """Yield each image; the next one is read meanwhile."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(read_image, paths[0], white)
        for number, path in enumerate(paths):
            image = following.result()
            if number + 1 < len(paths):
                following = reader.submit(read_image, paths[number + 1], white)
            yield path, image


def _write(target: Path, path: Path, image: Image, prob: Prob, mm_per_px: float | None) -> dict[str, Any]:
    """Write the files of one image; return its row of cracks.csv."""
    levels = predictions.quantise(prob)
    mask = levels >= 128
    predictions.write_one(target / "probabilities", path.stem, levels)
    predictions.write_one(target / "masks", path.stem, np.where(mask, 255, 0).astype(np.uint8))
    _write_overlay(target / "overlays" / f"{path.stem}.png", image, mask)
    size = measure_cracks(mask)
    row = {
        "file": path.name, "width": image.shape[1], "height": image.shape[0], "crack_share_pct": 100 * size.share,
        "length_px": size.length_px, "mean_width_px": size.mean_width_px,
    }  # fmt: skip
    if mm_per_px is not None:
        row |= {"length_mm": size.length_px * mm_per_px, "mean_width_mm": size.mean_width_px * mm_per_px}
    return row


def _doubt(predictor: Predictor, shares: list[float]) -> str:
    """Return a warning if most of the pixels, or none, are crack, with the likely reason; otherwise ""."""
    if shares and not any(shares):
        return " No pixel is crack: check the network's input and output."
    if not shares or sum(shares) <= len(shares) / 2:
        return ""
    return (
        f" {100 * sum(shares) / len(shares):.0f} % of the pixels are crack: check whether {predictor.source} returns "
        "background as its first class, and whether --output says what it returns."
    )


def _write_overlay(path: Path, image: Image, mask: npt.NDArray[np.bool_]) -> None:
    """Write the image with cracks in red."""
    shown = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    shown[mask] = (shown[mask] * 0.4 + np.array(CRACK_BGR) * 0.6).astype(np.uint8)
    _, buffer = cv2.imencode(".png", shown, [cv2.IMWRITE_PNG_COMPRESSION, 1])  # three times as fast as the default
    with files.atomic_write(path, buffer.nbytes) as temporary:
        temporary.write_bytes(buffer.tobytes())
