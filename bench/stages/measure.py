"""Measure: model name -> results/cost/<model>.json, the model's parameters, multiply-adds, latency and memory."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from bench import plugins
from bench.formats import cost
from bench.training.device import peak_memory_mb, pick_device, wait_for
from bench.training.provenance import device_name, versions

MAX_SIDE = 16384
"""Largest side of an image, px; beyond it a network would need terabytes of memory."""


@dataclass(frozen=True)
class MeasureSettings:
    """How the cost is measured: one image of ``image_size`` px through a network with this encoder.

    Attributes:
        encoder: name of the encoder.
        image_size: side of the image, px.
        warmup: number of forward passes before timing.
        repeats: number of timed forward passes.
        device: "auto", "cpu", "cuda", "mps" or "xpu".
    """

    encoder: str
    image_size: int
    warmup: int
    repeats: int
    device: Literal["auto", "cpu", "cuda", "mps", "xpu"]

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 32 <= self.image_size <= MAX_SIDE or self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32 up to {MAX_SIDE}, got {self.image_size}")
        if self.repeats < 1 or self.warmup < 0:
            raise ValueError("repeats must be at least 1 and warmup at least 0")


def run(target: Path, model: str, settings: MeasureSettings) -> None:
    """Measure and write the cost of a binary network of this architecture, in float32 with random weights."""
    device = pick_device(settings.device)
    image = torch.zeros(1, 3, settings.image_size, settings.image_size, device=device)
    before = _anchor_ms(image, settings)
    network = plugins.build_network(model, 3, 1, settings.image_size, settings.encoder, None).to(device).eval()
    gmacs = multiply_adds(network, image) / 1e9
    if device.type in ("cuda", "xpu"):
        torch.accelerator.reset_peak_memory_stats()  # leave out the memory used for the anchor and for counting
    latencies_ms = sorted(_latencies_ms(network, image, settings, model))
    peak_mb = peak_memory_mb(device)
    after = _anchor_ms(image, settings)
    record = {
        "model": model,
        "model_name": plugins.load("models", model).NAME,
        "encoder": settings.encoder,
        "image_size": settings.image_size,
        "parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
        "gmacs": round(gmacs, 4),
        "gflops": round(2 * gmacs, 4),
        "latency_ms_p50": round(statistics.median(latencies_ms), 3),
        "latency_ms_p95": round(_percentile(latencies_ms, 95), 3),
        "images_per_s": round(1000 / statistics.median(latencies_ms), 3),
        "peak_memory_mb": peak_mb,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "repeats": settings.repeats,
        "versions": versions(),
        "counter": cost.COUNTER,
        "anchor": cost.ANCHOR,
        "anchor_ms_before": round(before, 3),
        "anchor_ms_after": round(after, 3),
    }
    cost.write(target, record)


@torch.no_grad()
def multiply_adds(network: nn.Module, image: torch.Tensor) -> float:
    """Return the multiply-adds of the convolutions and matrix products of one forward pass, all that run.

    Nothing is computed, unless the pass depends on values: it runs on tensors that have a shape and no content.
    Normalisation, activations and resizing are not counted.
    """
    counter = FlopCounterMode(display=False)  # counts a multiply-add as two operations
    # fused attention has no count on a CPU; the plain kind is two matrix products
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), sdpa_kernel(SDPBackend.MATH), counter:
            network(image)
    except DataDependentOutputException:
        counter = FlopCounterMode(display=False)
        with sdpa_kernel(SDPBackend.MATH), counter:
            network(image)
    return counter.get_total_flops() / 2


def _anchor_ms(image: torch.Tensor, settings: MeasureSettings) -> float:
    """Return the median latency of the reference network, ms: how fast the machine is at the moment."""
    from torchvision.models import resnet18

    network = resnet18(weights=None).to(image.device).eval()
    return statistics.median(_latencies_ms(network, image, settings, cost.ANCHOR))


@torch.inference_mode()
def _latencies_ms(network: nn.Module, image: torch.Tensor, settings: MeasureSettings, model: str) -> list[float]:
    """Return the duration of each timed forward pass, ms."""
    latencies_ms = []
    for i in tqdm(range(settings.warmup + settings.repeats), desc=f"measure {model}", unit="pass", leave=False):
        start = time.perf_counter()
        network(image)
        wait_for(image.device)
        if i >= settings.warmup:
            latencies_ms.append(1000 * (time.perf_counter() - start))
    return latencies_ms


def _percentile(ordered: list[float], percent: int) -> float:
    """Return the percentile of ascending values, by nearest rank."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]
