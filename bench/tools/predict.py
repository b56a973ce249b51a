"""Segment test items or photographs of any size with a trained run, an ONNX file or a torch.export file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench.data.images import read_image
from bench.errors import UserError
from bench.formats import files, predictions, prepared, run
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD

Image = npt.NDArray[np.uint8]
Prob = npt.NDArray[np.float32]

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}

CRACK_BGR = (0, 0, 255)


@dataclass(frozen=True)
class Predictor:
    """A network, whatever it came from.

    Attributes:
        source: the folder or file, for messages.
        forward: normalised images, float32 (1, 3, H, W) -> what the network returns, (1, C, H, W).
        side: the image size it is meant for, px; None if it takes any.
        is_logits: whether ``forward`` gives logits rather than probabilities.
    """

    source: Path
    forward: Callable[[Prob], Prob]
    side: int | None
    is_logits: bool = True

    def __call__(self, image: Image) -> Prob:
        """Return the probability of crack, float32 (H, W), of an RGB image (H, W, 3).

        Raises:
            UserError: the network does not take such an image, or returns something else than a map of its size.
        """
        mean, std = (np.array(values, np.float32) for values in (IMAGENET_MEAN, IMAGENET_STD))
        ready = ((image.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)[None]
        try:
            found = np.asarray(self.forward(np.ascontiguousarray(ready)), np.float64)
        except Exception as error:  # each library raises classes of its own
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(
                f"{self.source} does not take a normalised RGB image, float32 {ready.shape} ({reason}): export it so."
            ) from None
        if found.ndim != 4 or len(found) != 1 or found.shape[1] == 0 or found.shape[2:] != image.shape[:2]:
            expected = f"(1, C, {image.shape[0]}, {image.shape[1]})"
            raise UserError(f"{self.source} returns an array {found.shape} for an image, expected {expected}.")
        if not np.isfinite(found).all():
            raise UserError(f"{self.source} returns nan or infinity: export it in float32.")
        if not self.is_logits and (found.min() < 0 or found.max() > 1):
            values = f"{found.min():.3g} to {found.max():.3g}"
            raise UserError(f"{self.source} returns {values}, no probabilities: say --output logits.")
        out = found[0]
        if not self.is_logits:
            prob = out[0] if len(out) == 1 else 1 - out[0]
        elif len(out) == 1:
            prob = np.exp(-np.logaddexp(0, -out[0]))
        else:
            odds = np.exp(out - out.max(0))
            prob = 1 - odds[0] / odds.sum(0)
        return np.asarray(prob, np.float32)


def on_dataset(source: Path, data_folder: Path, target: Path, is_logits: bool) -> str:
    """Write the probability maps of a dataset's test items, ready for `bench score`.

    Raises:
        UserError: the network or the data cannot be read, or do not fit each other.
    """
    predictor, data = load(source, is_logits), prepared.read(data_folder)
    if predictor.side not in (None, data.images.shape[1]) and source.is_file():
        raise UserError(
            f"{source} takes {predictor.side} px, {data_folder} holds {data.images.shape[1]} px: export anew."
        )
    rows, lowest = data.split("test"), 1.0
    for row in tqdm(rows, desc=f"predict {data.card['dataset']}", unit="image"):
        prob = predictor(np.asarray(data.images[row]))
        lowest = min(lowest, float(prob.min()))
        predictions.write_one(target, data.items["item"].iloc[row], predictions.quantise(prob))
    return f"{len(rows)} probability maps are in {target}.{_all_crack(predictor, lowest)}"


def on_photographs(source: Path, folder: Path, target: Path, is_logits: bool, tile: int | None, overlap: float) -> str:
    """Write probabilities/, masks/ and overlays/ of all images in a folder, of any size.

    Raises:
        UserError: there are no images, one is unreadable, or the network cannot be read.
    """
    predictor = load(source, is_logits)
    if source.is_file() and predictor.side and tile and tile != predictor.side:
        raise UserError(f"{source} takes {predictor.side} px only: leave out --tile {tile}.")
    side = tile or predictor.side or 448
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise UserError(f"{folder} is no folder with images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    of_stem: dict[str, Path] = {}
    for path in paths:
        if (other := of_stem.setdefault(path.stem, path)) != path:
            raise UserError(f"{path} and {other.name} would have one result: rename one of them.")
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
    """Return what is likely wrong if no pixel at all is background."""
    cure = f" Every pixel is crack: if {predictor.source} returns probabilities, say --output probabilities."
    return cure if predictor.is_logits and lowest >= 0.5 else ""


def tiled(predict: Callable[[Image], Prob], image: Image, tile: int, overlap: float) -> Prob:
    """Return the probability of crack of an image of any size, (H, W), from overlapping tiles.

    Where tiles overlap, their mean counts, weighed by a pyramid that falls off towards a tile's rim, where a network
    sees least context. Images smaller than a tile are reflected outwards.

    Args:
        predict: RGB (tile, tile, 3) -> probability (tile, tile).
        image: RGB, (H, W, 3).
        tile: side of a tile, px.
        overlap: share of a tile that its neighbour covers too, 0 to below 1.
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


def load(source: Path, is_logits: bool) -> Predictor:
    """Return the network in a run's folder, an .onnx or a .pt2 file.

    Raises:
        UserError: it is none of these, is damaged, or the library that reads it is not installed.
    """
    if source.is_dir():
        return _from_run(source)
    if not source.is_file():
        raise UserError(
            f"{source} not found: name a run's folder (runs/<dataset>/<model>/<seed>), an .onnx or .pt2 file."
        )
    if source.suffix == ".onnx":
        return _from_onnx(source, is_logits)
    if source.suffix == ".pt2":
        return _from_export(source, is_logits)
    raise UserError(f"{source} is neither .onnx nor .pt2 (torch.export.save): export the model to one of them.")


def _from_run(folder: Path) -> Predictor:
    from bench import plugins

    record, _ = run.read(folder)
    torch = _torch()
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    side = record["settings"]["prepare"]["image_size"]
    files.verify(folder, ["weights.safetensors"])
    classes, encoder = record.get("classes", 1), record["settings"]["train"]["encoder"]
    network = plugins.build_network(record["model"], 3, classes, side, encoder, None)
    try:
        network.load_state_dict(load_file(folder / "weights.safetensors"))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(f"{folder / 'weights.safetensors'} does not hold its weights ({error}): train again.") from None
    return Predictor(folder, _torch_forward(torch, network.eval()), side)


def _from_export(path: Path, is_logits: bool) -> Predictor:
    torch = _torch()
    try:
        program = torch.export.load(path)
    except Exception as error:  # whatever a broken archive raises
        raise UserError(
            f"{path} is no readable torch.export file ({error}): write it with torch.export.save."
        ) from None
    given = program.graph_signature.user_inputs
    shape: Any = next((node.meta["val"].shape for node in program.graph.nodes if node.name in given), ())
    side = shape[2] if len(shape) == 4 and isinstance(shape[2], int) else None
    return Predictor(path, _torch_forward(torch, program.module()), side, is_logits)


def _from_onnx(path: Path, is_logits: bool) -> Predictor:
    try:
        import onnxruntime
    except ImportError:
        raise UserError("reading .onnx needs onnxruntime: pip install '.[onnx]' in the clone.") from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, without a common base
        raise UserError(f"{path} is no readable ONNX file ({str(error).splitlines()[0]}): export it again.") from None
    given = session.get_inputs()[0]
    side = given.shape[2] if len(given.shape) == 4 and isinstance(given.shape[2], int) else None
    return Predictor(path, lambda images: np.asarray(session.run(None, {given.name: images})[0]), side, is_logits)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise UserError("this needs torch: pip install '.[train]' in the clone. An .onnx file does without.") from None
    return torch


def _torch_forward(torch: Any, network: Any) -> Callable[[Prob], Prob]:
    def forward(images: Prob) -> Prob:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(images)).float().numpy())

    return forward


def _corners(height: int, width: int, tile: int, overlap: float) -> Iterator[tuple[int, int]]:
    """Yield top and left of tiles that cover the image, the last ones flush with its rim."""
    step = max(1, round(tile * (1 - overlap)))
    tops, lefts = ([*range(0, size - tile, step), size - tile] for size in (height, width))
    yield from ((top, left) for top in tops for left in lefts)


def _write_overlay(path: Path, image: Image, mask: npt.NDArray[np.bool_]) -> None:
    """Write the image with the crack in red."""
    shown = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    shown[mask] = (shown[mask] * 0.4 + np.array(CRACK_BGR) * 0.6).astype(np.uint8)
    _, buffer = cv2.imencode(".png", shown)
    with files.atomic_write(path) as temporary:
        temporary.write_bytes(buffer.tobytes())
