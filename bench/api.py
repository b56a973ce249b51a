"""The Python interface: load a model or a dataset, predict, evaluate, read results.

Every function raises ``bench.errors.UserError`` for bad input: one line that says what is wrong and what to do.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from bench import plugins
from bench.errors import UserError, instead_of
from bench.formats import prepared as prepared_format

if TYPE_CHECKING:
    from torch import nn

    from bench.api_dataset import Split
    from bench.api_results import ResultsFolder

__all__ = ["evaluate", "load_dataset", "load_model", "predict", "read_results"]


def load_model(
    run_or_name: str | Path, *, encoder: str = "resnet50", weights: str | None = None, image_size: int = 448,
    classes: int = 1,
) -> "nn.Module":  # fmt: skip
    """Return a network in eval mode, on the CPU: the trained one of a run, or a new one of an architecture.

    It takes images float32 (B, 3, H, W), normalised as ImageNet's, and returns logits (B, classes, H, W). Its attribute
    ``image_size`` is the side of the images it was trained on, px.

    Args:
        run_or_name: folder of a run, ``runs/<dataset>/<model>/<seed>``, or the id of an architecture; see
            `bench list models`. The other arguments are for an architecture: a run records its own.
        encoder: name of the encoder in segmentation-models-pytorch, or efficientnet_lite0.
        weights: name of its pretrained weights, such as "imagenet"; None: random. The rest of a new network is
            untrained in either case.
        image_size: side of the images, px.
        classes: number of classes; 1 for crack and background.

    Raises:
        UserError: it is neither a finished run nor an architecture, or torch is not installed.
    """
    from bench.tools.load_network import load_run

    name, folder = str(run_or_name), Path(run_or_name)
    is_name, is_run = name in plugins.names("models"), (folder / "run.json").is_file()
    if is_name and is_run:
        raise UserError(f"{name} is a run here and an architecture: give the run as ./{name}, or rename its folder.")
    if is_run:
        network, side = load_run(folder)
    elif is_name:
        network, side = plugins.build_network(name, 3, classes, image_size, encoder, weights).eval(), image_size
    else:
        hint = instead_of(name, plugins.names("models"), "architectures")
        raise UserError(f"{name} is neither the folder of a finished run nor an architecture{hint}")
    network.image_size = side
    loaded: nn.Module = network
    return loaded


def predict(
    model: "nn.Module | str | Path", image: npt.ArrayLike | str | Path, *, tile: int | None = None,
    overlap: float = 0.25, output: Literal["logits", "probabilities"] | None = None, device: str = "auto",
    white: int | None = None,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Return the probability of crack of an image of any size, float32 (H, W), 0 to 1.

    The image is cut into overlapping tiles at its own scale, whose predictions are averaged, as `bench predict` does.

    Args:
        model: a network from ``load_model`` or of your own, in eval mode; it is used where it is. Or the path of a run,
            an .onnx or a .pt2 file.
        image: RGB, uint8 (H, W, 3), or the path of an image file.
        tile: side of a tile, px; None: the image size of the network, 448 if it has none.
        overlap: of neighbouring tiles, as a fraction of the side, 0 to below 1.
        output: what a network of your own or a file returns; None: found by a probe.
        device: auto, cpu, cuda, mps or xpu, for a path.
        white: grey level of white in an image file of 16 bits, such as 4095 from a camera of 12 bits.

    Raises:
        UserError: the image or the network cannot be read, an image of 16 bits comes without ``white``, the network is
            in training mode, or its output is unclear.
    """
    from bench.data.images import WHITE, read_16_bit, read_image, white_of
    from bench.tools.load_network import DEFAULT_SIDE, load, of_module
    from bench.tools.tiling import tiled

    if isinstance(image, str | Path):
        deep = read_16_bit(Path(image)) if white is None else None
        if deep is not None:  # one image does not tell: a dark one of 14 bits looks like one of 12
            guess = white_of(int(deep.max()))
            raise UserError(
                f"{image} has 16 bits, {deep.max()} at most: give white, such as white={guess} or white=65535."
            )
        pixels = read_image(Path(image), white or WHITE)
    else:
        pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise UserError(f"the image is {pixels.dtype} of shape {pixels.shape}: give RGB as uint8 (H, W, 3).")
    if not 0 <= overlap < 1:
        raise UserError(f"overlap is {overlap}: give a fraction of the tile's side, 0 to below 1.")
    if isinstance(model, str | Path):
        predictor, _ = load(Path(model), output, device=device, side=tile or DEFAULT_SIDE)
    else:
        predictor = of_module(model, output, tile or DEFAULT_SIDE)
    return tiled(predictor.many, pixels, tile or predictor.side or DEFAULT_SIDE, overlap, batch=4)


def load_dataset(prepared: str | Path, split: str = "test") -> "Split":
    """Return the items of one split of a prepared dataset, as arrays and as a torch dataset.

    Args:
        prepared: folder that `bench prepare` wrote, such as ``prepared/cfd``.
        split: "train", "validation" or "test".

    Raises:
        UserError: the folder is missing or damaged, or the split is unknown or empty.
    """
    from bench.api_dataset import Split

    data = prepared_format.read(Path(prepared))
    present = data.items["split"].unique()
    if split not in present:
        raise UserError(f"{prepared} has no items to {split!r}{instead_of(split, present, 'splits')}")
    return Split(data, split)


def evaluate(
    pred: npt.ArrayLike, true: npt.ArrayLike, *, known: npt.ArrayLike | None = None,
    average: Literal["pooled", "image_mean"] = "pooled",
) -> dict[str, float]:  # fmt: skip
    """Return every metric of a prediction: metric id -> value, nan where it is undefined.

    A metric decides at p >= 0.5 unless it looks at all thresholds; ``bench explain METRIC`` has its definition.

    Args:
        pred: mask or probabilities of crack, (H, W) or (N, H, W): bool, 0 and 1, 0 and 255; probabilities as float 0 to
            1, 8-bit or 16-bit grey.
        true: mask of the same shape: bool, 0 and 1, or 0 and one other value, which is crack.
        known: bool of the same shape: pixels that count. None: all.
        average: for N images: "pooled" adds up their counts, "image_mean" is the mean over the images where the metric
            is defined; metrics without this average are nan. For one image both are the same.

    Raises:
        UserError: shapes differ, or values could mean several things.

    >>> found = evaluate([[1, 1, 0, 0]], [[0, 255, 255, 0]])
    >>> round(found["crack_iou"], 4), found["precision"]
    (0.3333, 0.5)
    """
    from bench.api_evaluate import evaluate_arrays

    return evaluate_arrays(np.asarray(pred), np.asarray(true), None if known is None else np.asarray(known), average)


def read_results(folder: str | Path = "results", params: str | Path | None = None) -> "ResultsFolder":
    """Return a results folder, whose methods give its rankings and counts as frames of pandas.

    Args:
        folder: the results, such as ``results/open``.
        params: the params.yaml that declares its datasets, models and seeds. None: the one in the folder or beside it.

    Raises:
        UserError: the folder or params.yaml is missing or invalid. Its methods read the scores when they are called,
            and raise it for a damaged file, an incomplete result or an unknown name.
    """
    from bench.api_results import ResultsFolder

    return ResultsFolder.read(Path(folder), None if params is None else Path(params))
