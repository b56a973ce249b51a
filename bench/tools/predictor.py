"""Load a network from a run, an ONNX file or a torch.export file, and predict one image with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.formats import files, run
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD

Image = npt.NDArray[np.uint8]
Prob = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Predictor:
    """A network from a run or a file.

    Attributes:
        source: its folder or file, for messages.
        forward: normalised images, float32 (1, 3, H, W) -> output of the network, (1, C, H, W).
        side: image size of the network, px; None for any.
        is_logits: whether ``forward`` returns logits rather than probabilities.
    """

    source: Path
    forward: Callable[[Prob], Prob]
    side: int | None
    is_logits: bool = True

    def __call__(self, image: Image) -> Prob:
        """Return the probability of crack, float32 (H, W), of an RGB image (H, W, 3).

        Raises:
            UserError: the network does not accept the image, or does not return a map of its size.
        """
        mean, std = (np.array(values, np.float32) for values in (IMAGENET_MEAN, IMAGENET_STD))
        ready = ((image.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)[None]
        try:
            output = np.asarray(self.forward(np.ascontiguousarray(ready)), np.float64)
        except Exception as error:  # each library has its own exceptions
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(
                f"{self.source} does not take a normalised RGB image, float32 {ready.shape} ({reason}): "
                "export it with this input."
            ) from None
        if output.ndim != 4 or len(output) != 1 or output.shape[1] == 0 or output.shape[2:] != image.shape[:2]:
            expected = f"(1, C, {image.shape[0]}, {image.shape[1]})"
            raise UserError(
                f"{self.source} returns an array {output.shape} for an image, expected {expected}: "
                "export it with this output."
            )
        if not np.isfinite(output).all():
            raise UserError(f"{self.source} returns NaN or infinity: export it in float32.")
        if not self.is_logits and (output.min() < 0 or output.max() > 1):
            values = f"{output.min():.3g} to {output.max():.3g}"
            raise UserError(f"{self.source} returns {values}, which are no probabilities: use --output logits.")
        return _probability(output[0], self.is_logits)


def _probability(output: npt.NDArray[np.float64], is_logits: bool) -> Prob:
    """Return the probability of crack, (H, W), from the output (C, H, W); with C > 1, class 0 is background.

    With several classes it is that of the likeliest class but background, against background: as in training.
    """
    if not is_logits:
        likeliest = output[0] if len(output) == 1 else output[1:].max(0)
        both = 1.0 if len(output) == 1 else np.maximum(likeliest + output[0], np.finfo(np.float64).tiny)
        return np.asarray(likeliest / both, np.float32)
    logit = output[0] if len(output) == 1 else output[1:].max(0) - output[0]
    return np.asarray(np.exp(-np.logaddexp(0, -logit)), np.float32)


def load(source: Path, is_logits: bool) -> Predictor:
    """Return the network in a run's folder, an .onnx or a .pt2 file.

    Raises:
        UserError: it is none of these, is damaged, or a library to read it is not installed.
    """
    if source.is_dir():
        return _from_run(source)
    if not source.is_file():
        raise UserError(
            f"{source} not found: give the folder of a run (runs/<dataset>/<model>/<seed>), an .onnx or a .pt2 file."
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
        raise UserError(
            f"{folder / 'weights.safetensors'} does not contain the weights of this model ({error}): train again."
        ) from None
    return Predictor(folder, _torch_forward(torch, network.eval()), side)


def _from_export(path: Path, is_logits: bool) -> Predictor:
    torch = _torch()
    try:
        program = torch.export.load(path)
    except Exception as error:  # a broken archive can raise anything
        raise UserError(
            f"{path} is not a readable torch.export file ({error}): write it with torch.export.save."
        ) from None
    inputs = program.graph_signature.user_inputs
    shape: Any = next((node.meta["val"].shape for node in program.graph.nodes if node.name in inputs), ())
    side = shape[2] if len(shape) == 4 and isinstance(shape[2], int) else None
    return Predictor(path, _torch_forward(torch, program.module()), side, is_logits)


def _from_onnx(path: Path, is_logits: bool) -> Predictor:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(".onnx files need onnxruntime: `pip install '.[onnx]'` in the clone of CrackBench.") from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # exceptions of onnxruntime have no common base
        raise UserError(
            f"{path} is not a readable ONNX file ({str(error).splitlines()[0]}): export it again."
        ) from None
    image = session.get_inputs()[0]
    side = image.shape[2] if len(image.shape) == 4 and isinstance(image.shape[2], int) else None
    return Predictor(path, lambda images: np.asarray(session.run(None, {image.name: images})[0]), side, is_logits)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise UserError(
            "runs and .pt2 files need torch: `pip install '.[train]'` in the clone of CrackBench; .onnx files do not."
        ) from None
    return torch


def _torch_forward(torch: Any, network: Any) -> Callable[[Prob], Prob]:
    def forward(images: Prob) -> Prob:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(images)).float().numpy())

    return forward
