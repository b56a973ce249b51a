"""Load a network from a run, an ONNX file or a torch.export file."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UserError
from bench.formats import files, run
from bench.tools.predictor import Outputs, Predictor, Prob, settled

DEFAULT_SIDE = 448
"""Image size for a network that takes any, px."""

MOST_WORKERS = 16
"""Forward passes at a time on a CPU, each with its share of the threads. One pass scales badly over many threads; each
needs memory of its own."""

STATED = "crackbench_output"
"""Key in the metadata of an ONNX file under which it says that it returns "logits" or "probabilities"."""


def load(
    source: Path, stated: str | None = None, output: str | None = None, device: str = "auto", side: int = DEFAULT_SIDE
) -> tuple[Predictor, str]:
    """Return the network in a run's folder, an .onnx or a .pt2 file, and a remark on how its output is read.

    Args:
        source: the folder or file.
        stated: what a file returns, "logits" or "probabilities"; None: found by a probe.
        output: name of a file's output that is the map; None: it has one only.
        device: auto, cpu, cuda, mps or xpu.
        side: of the images, px, if the file takes any size.

    Raises:
        UserError: it is none of these, is damaged, a library to read it is not installed, or its output is unclear.
    """
    if source.is_dir():
        return _from_run(source, device), ""
    if not source.is_file():
        raise UserError(
            f"{source} not found: give the folder of a run (runs/<dataset>/<model>/<seed>), an .onnx or a .pt2 file."
        )
    readers: dict[str, Callable[[Path, str | None, str], Predictor]] = {".onnx": _from_onnx, ".pt2": _from_export}
    if source.suffix.lower() not in readers:
        raise UserError(f"{source} is neither .onnx nor .pt2 (torch.export.save): export the model to one of them.")
    return settled(readers[source.suffix.lower()](source, output, device), stated, side)


def _from_run(folder: Path, device: str) -> Predictor:
    network, side = load_run(folder)
    torch = _torch()
    forward = torch_forward(network.to(memory_format=torch.channels_last), device)  # as it was trained; faster
    from bench.training.device import pick_device

    if pick_device(device).type != "cpu":
        return Predictor(folder, forward, side)
    threads = torch.get_num_threads()
    workers = min(threads, MOST_WORKERS)
    return Predictor(
        folder, forward, side, workers=workers, start_worker=lambda: torch.set_num_threads(threads // workers)
    )


def load_run(folder: Path) -> tuple[Any, int]:
    """Return the trained network of a run, an nn.Module in eval mode on the CPU, and its image size, px.

    Raises:
        UserError: the folder is no finished run, is damaged, or torch is not installed.
    """
    from bench import plugins

    record, _ = run.read(folder)
    _torch()
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
    return network.eval(), side


def of_module(network: Any, stated: str | None, side: int) -> Predictor:
    """Return a network in memory, an nn.Module, which stays on its device.

    Args:
        network: in eval mode; with the attribute ``image_size``, as ``bench.api.load_model`` sets it, its output is
            logits.
        stated: what it returns, "logits" or "probabilities"; None: logits, or found by a probe.
        side: of the probe, px.

    Raises:
        UserError: it is in training mode, or its output may be logits or probabilities.
    """
    name = Path(type(network).__name__)
    if network.training:
        raise UserError(f"{name} is in training mode, in which dropout and batch statistics change: call eval() first.")
    device = next((parameter.device.type for parameter in network.parameters()), "cpu")
    predictor = Predictor(name, torch_forward(network, device), None)
    image_size = getattr(network, "image_size", None)
    if isinstance(image_size, int):
        return replace(predictor, side=image_size, is_logits=stated != "probabilities")
    return settled(predictor, stated, side)[0]


def _from_export(path: Path, output: str | None, device: str) -> Predictor:
    torch = _torch()
    try:
        program = torch.export.load(path)
    except Exception as error:  # a broken archive can raise anything
        raise UserError(
            f"{path} is not a readable torch.export file ({error}): write it with torch.export.save."
        ) from None
    inputs = program.graph_signature.user_inputs
    shape: Any = next((node.meta["val"].shape for node in program.graph.nodes if node.name in inputs), ())
    batch, side = _fixed(shape)
    return Predictor(path, torch_forward(program.module(), device), side, output=output, batch=batch)


def _from_onnx(path: Path, output: str | None, device: str) -> Predictor:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(".onnx files need onnxruntime: `pip install '.[onnx]'` in the clone of CrackBench.") from None
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(
            f"--device {device}: an .onnx file runs on auto, cpu or cuda; runs and .pt2 files run on {device}."
        )
    cuda = "CUDAExecutionProvider"
    has_cuda = cuda in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise UserError("--device cuda: this onnxruntime has no CUDA; install onnxruntime-gpu, or use --device cpu.")
    providers = [cuda] if has_cuda and device != "cpu" else []
    try:
        session = onnxruntime.InferenceSession(str(path), providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:  # exceptions of onnxruntime have no common base
        raise UserError(
            f"{path} is not a readable ONNX file ({str(error).splitlines()[0]}): export it again."
        ) from None
    image = session.get_inputs()[0]
    batch, side = _fixed(image.shape)
    names = [port.name for port in session.get_outputs()]

    def forward(images: Prob) -> Outputs:
        arrays = session.run(None, {image.name: np.ascontiguousarray(images)})
        return {name: np.asarray(array) for name, array in zip(names, arrays, strict=True)}

    stated = session.get_modelmeta().custom_metadata_map.get(STATED)
    return Predictor(path, forward, side, output=output, batch=batch, stated=stated)


def _fixed(shape: Sequence[Any]) -> tuple[int | None, int | None]:
    """Return batch and side of an input (B, C, H, W), each None where the file takes any."""
    if len(shape) != 4:
        return None, None
    batch, _, height, _ = (number if isinstance(number, int) else None for number in shape)
    return batch, height


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise UserError(
            "runs and .pt2 files need torch: `pip install '.[train]'` in the clone of CrackBench; .onnx files do not."
        ) from None
    return torch


def torch_forward(network: Any, device: str) -> Callable[[Prob], Outputs]:
    """Return what runs a network of torch: normalised images, float32 (B, 3, H, W) -> its outputs by name.

    Args:
        network: an nn.Module; it is moved to the device.
        device: auto, cpu, cuda, mps or xpu.
    """
    import torch

    from bench.training.device import pick_device

    place = pick_device(device)
    network = network.to(place)
    is_last = any(p.ndim == 4 and not p.is_contiguous() for p in network.parameters())  # channels last

    def forward(images: Prob) -> Outputs:
        ready = torch.from_numpy(images).to(place)
        with torch.inference_mode():
            result = network(ready if is_last else ready.contiguous())
        if isinstance(result, dict):
            named = {str(name): value for name, value in result.items()}
        else:
            values = result if isinstance(result, tuple | list) else [result]
            named = {str(number): value for number, value in enumerate(values)}
        tensors = {name: value for name, value in named.items() if isinstance(value, torch.Tensor)}
        if not tensors:
            raise UserError(f"the network returns {type(result).__name__} without a tensor: return the map alone.")
        return {name: value.float().cpu().numpy() for name, value in tensors.items()}

    return forward
