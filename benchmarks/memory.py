"""Compare the computed memory of a training (`bench plan`) with what a step and a pass of validation take.

On a CPU every case has a process of its own; measured is the growth of its peak resident memory, with an allocator that
returns each freed block to the system, so that no holes between blocks count. On a GPU measured is
torch.cuda.max_memory_allocated: after the first step, and of the first (``first_mib``), in which cuDNN tries
its algorithms; ``reserved_mib`` is what the process holds of the GPU.

Usage: python benchmarks/memory.py --out benchmarks/memory.json
       python benchmarks/memory.py --device cuda --image-size 448 --batches 8,32 --out benchmarks/memory_cuda.json
"""

import gc
import json
import multiprocessing
import os
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch
from _command import Command
from tqdm import tqdm

from bench import plugins
from bench.formats import files
from bench.settings import load_params, section
from bench.stages import train
from bench.tools.memory import _batch, footprint
from bench.training import loop
from bench.training.device import pick_device
from bench.training.loader import Resident
from bench.training.loss import binary_loss
from bench.training.precision import compute_dtype
from bench.training.provenance import describe_hardware, versions
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[1]
MODELS = "deeplabv3,deeplabv3plus,fpn,linknet,manet,pan,pspnet,segformer,unet,unetplusplus,upernet,context_cracknet"
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
"""Larger blocks of the GNU C library are mapped one by one and unmapped when freed."""
STEPS = 3


def _status_mib(key: str) -> float:
    """Return a line of the kernel's account of this process, MiB: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) / 1024


def _prepare(model: str, side: int, settings: TrainSettings, device: torch.device):
    """Return a function that makes one step and one pass of validation.

    The weights of the best epoch are kept, as after the first epoch.
    """
    network = plugins.build_network(model, 3, 1, side, settings.encoder, None)
    network.to(device, memory_format=torch.channels_last)
    state, batch = loop.start(network, settings, device), _batch(settings.batch, side)
    batch.images.fill_(0.5)
    batch.masks.zero_()
    batch = replace(batch, images=batch.images.to(device), masks=batch.masks.to(device))
    count, make = settings.predict_batch, {"dtype": torch.uint8, "device": device}
    items = Resident(torch.ones(count, side, side, 3, **make), torch.zeros(count, side, side, **make))
    state.keep_best()

    def criterion(logits, masks):
        return binary_loss(logits, masks, settings.loss)

    def work():
        loop.step(state, batch, criterion, settings, device)
        loop.validation_loss(network, items, criterion, settings, device)

    return work


def on_cpu(model: str, side: int, settings: TrainSettings) -> dict[str, float]:
    """Return the growth of this process's peak memory from before the network is built to the last step, MiB."""
    torch.set_num_threads(1)
    warm = replace(settings, batch=2)
    _prepare("unet", 32, replace(warm, encoder="resnet18"), torch.device("cpu"))()  # what libraries allocate once
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    before = _status_mib("VmRSS")
    step = _prepare(model, side, settings, torch.device("cpu"))
    for _ in range(STEPS - 1):
        step()
    return {"measured_mib": round(_status_mib("VmHWM") - before, 1)}


def on_cuda(model: str, side: int, settings: TrainSettings) -> dict[str, float]:
    """Return the peaks of the GPU's allocator, MiB, and the seconds this took."""
    device, began = torch.device("cuda"), time.perf_counter()
    train.configure(settings, 0)
    gc.collect()
    torch.cuda.empty_cache()
    held = torch.cuda.memory_allocated()  # of cases before: cuBLAS keeps a workspace
    torch.cuda.reset_peak_memory_stats()
    step = _prepare(model, side, settings, device)
    step()
    first = torch.cuda.max_memory_allocated() - held
    torch.cuda.reset_peak_memory_stats()
    for _ in range(STEPS - 1):
        step()
    torch.cuda.synchronize()
    peak, reserved = torch.cuda.max_memory_allocated() - held, torch.cuda.memory_reserved()
    facts = {"measured_mib": peak / 2**20, "first_mib": first / 2**20, "reserved_mib": reserved / 2**20}
    return {k: round(v, 1) for k, v in facts.items()} | {"seconds": round(time.perf_counter() - began, 2)}


def compared(one: dict[str, Any], measuring: Future[dict[str, float]]) -> dict[str, Any]:
    """Return a case's row with its measured peak and the ratio of computed to measured."""
    try:
        one |= measuring.result()
    except torch.OutOfMemoryError:
        return one | {"measured_mib": None, "ratio": None}
    return one | {"ratio": round(one["computed_mib"] / one["measured_mib"], 3)}


@click.command(cls=Command, help=__doc__.splitlines()[0])
@click.option("--models", default=MODELS, help="Names, separated by commas.")
@click.option("--encoder", default="resnet50")
@click.option("--image-size", default=224)
@click.option("--batches", default="4", help="Images in a step; several numbers are separated by commas.")
@click.option("--device", default="cpu", type=click.Choice(["cpu", "cuda"]))
@click.option("--dry-run", is_flag=True, help="Compute only, as for the device.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the results to this JSON file.")
def main(models, encoder, image_size, batches, device, dry_run, out):
    for model in models.split(","):
        plugins.load("models", model)
    os.environ.update(MALLOC)  # for the processes that measure
    params = load_params(ROOT / "params.yaml")
    params["train"] |= {"encoder": encoder, "weights": None, "accumulate": 1, "device": device}
    place = torch.device("cpu") if dry_run else pick_device(device)
    setting = {"encoder": encoder, "image_size": image_size, "device": device}
    facts = {"rows": [], "setting": setting, "hardware": describe_hardware(place), "versions": versions()}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=None if device == "cuda" else 1) as pool:
        for model in tqdm(models.split(","), desc="memory", unit="model"):
            for batch in map(int, batches.split(",")):
                settings = section({"train": params["train"] | {"batch": batch}}, "train", TrainSettings)
                measure = on_cuda if device == "cuda" else on_cpu
                measuring = None if dry_run else pool.submit(measure, model, image_size, settings)
                is_mixed = device == "cuda" if dry_run else compute_dtype(settings, place) != torch.float32
                began = time.perf_counter()
                computed = footprint(model, image_size, settings, is_mixed)
                line = {"model": model, "batch": batch, "computed_mib": round(computed.peak(settings) / 2**20, 1)}
                line |= {"compute_s": round(time.perf_counter() - began, 2)}
                facts["rows"].append(line if measuring is None else compared(line, measuring))
                tqdm.write(json.dumps(facts["rows"][-1]))
                if out:
                    files.write_json(out, facts)


if __name__ == "__main__":
    main()
