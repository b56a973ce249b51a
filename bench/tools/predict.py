"""Segment test items or images of any size with a run, an ONNX file or a torch.export file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench.data.images import read_image
from bench.errors import UserError
from bench.formats import files, predictions, prepared
from bench.tools.predictor import Image, Predictor, Prob, load

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}

CRACK_BGR = (0, 0, 255)


def on_dataset(source: Path, data_folder: Path, target: Path, is_logits: bool) -> str:
    """Write the probability maps of a dataset's test items, ready for `bench score`.

    Raises:
        UserError: the network or the data cannot be read, or their image sizes differ.
    """
    predictor, data = load(source, is_logits), prepared.read(data_folder)
    if predictor.side not in (None, data.images.shape[1]) and source.is_file():
        raise UserError(
            f"{source} takes {predictor.side} px, but {data_folder} has images of {data.images.shape[1]} px: "
            "export it again."
        )
    rows, lowest = data.split("test"), 1.0
    for row in tqdm(rows, desc=f"predict {data.card['dataset']}", unit="image"):
        prob = predictor(np.asarray(data.images[row]))
        lowest = min(lowest, float(prob.min()))
        predictions.write_one(target, data.items["item"].iloc[row], predictions.quantise(prob))
    return f"{len(rows)} probability maps are in {target}.{_all_crack(predictor, lowest)}"


def on_images(source: Path, folder: Path, target: Path, is_logits: bool, tile: int | None, overlap: float) -> str:
    """Write probabilities/, masks/ and overlays/ of all images in a folder, of any size.

    Raises:
        UserError: the folder has no images, an image is unreadable, or the network cannot be read.
    """
    predictor = load(source, is_logits)
    if source.is_file() and predictor.side and tile and tile != predictor.side:
        raise UserError(f"{source} takes {predictor.side} px only: omit --tile {tile}.")
    side = tile or predictor.side or 448
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise UserError(f"{folder} contains no images ({', '.join(sorted(IMAGE_SUFFIXES))}): choose another folder.")
    of_stem: dict[str, Path] = {}
    for path in paths:
        if (other := of_stem.setdefault(path.stem, path)) != path:
            raise UserError(f"{path} and {other.name} would be written to the same file: rename one of them.")
    lowest = 1.0
    for path in tqdm(paths, desc="predict", unit="image"):
        image = read_image(path)
        prob = tiled(predictor, image, side, overlap)
        lowest = min(lowest, float(prob.min()))
        levels = predictions.quantise(prob)
        predictions.write_one(target / "probabilities", path.stem, levels)
        predictions.write_one(target / "masks", path.stem, np.where(levels >= 128, 255, 0).astype(np.uint8))
        _write_overlay(target / "overlays" / f"{path.stem}.png", image, levels >= 128)
    return f"{len(paths)} images: probabilities, masks and overlays are in {target}.{_all_crack(predictor, lowest)}"


def _all_crack(predictor: Predictor, lowest: float) -> str:
    """Return a warning if every pixel is crack, which suggests probabilities taken for logits; otherwise ""."""
    hint = f" Every pixel is crack: if {predictor.source} returns probabilities, use --output probabilities."
    return hint if predictor.is_logits and lowest >= 0.5 else ""


def tiled(predict: Callable[[Image], Prob], image: Image, tile: int, overlap: float) -> Prob:
    """Return the probability of crack of an image of any size, (H, W), from overlapping tiles.

    Overlapping tiles are averaged with pyramid weights, which fall off towards the edges of a tile, where a network has
    the least context. Images smaller than a tile are padded by reflection.

    Args:
        predict: RGB (tile, tile, 3) -> probability (tile, tile).
        image: RGB, (H, W, 3).
        tile: side of a tile, px.
        overlap: overlap of neighbouring tiles, as a fraction of the side, 0 to below 1.
    """
    height, width = image.shape[:2]
    below, right = max(0, tile - height), max(0, tile - width)
    padded = np.pad(image, ((0, below), (0, right), (0, 0)), mode="symmetric")
    ramp = np.minimum(np.arange(1, tile + 1), np.arange(tile, 0, -1)).astype(np.float32)
    weight = np.minimum(ramp[:, None], ramp)
    total, weights = np.zeros(padded.shape[:2], np.float32), np.zeros(padded.shape[:2], np.float32)
    for top, left in _corners(padded.shape[0], padded.shape[1], tile, overlap):
        place = np.s_[top : top + tile, left : left + tile]
        total[place] += weight * predict(padded[place])
        weights[place] += weight
    return np.asarray((total / weights)[:height, :width], np.float32)


def _corners(height: int, width: int, tile: int, overlap: float) -> Iterator[tuple[int, int]]:
    """Yield top and left of tiles that cover the image, the last ones flush with its edges."""
    step = max(1, round(tile * (1 - overlap)))
    tops, lefts = ([*range(0, size - tile, step), size - tile] for size in (height, width))
    yield from ((top, left) for top in tops for left in lefts)


def _write_overlay(path: Path, image: Image, mask: npt.NDArray[np.bool_]) -> None:
    """Write the image with cracks in red."""
    shown = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    shown[mask] = (shown[mask] * 0.4 + np.array(CRACK_BGR) * 0.6).astype(np.uint8)
    _, buffer = cv2.imencode(".png", shown)
    with files.atomic_write(path) as temporary:
        temporary.write_bytes(buffer.tobytes())
