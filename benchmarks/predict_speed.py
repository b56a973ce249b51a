"""Time `bench predict --images` on a large photograph, side by side with an older version: medians.

Usage: python benchmarks/predict_speed.py --before FOLDER --out benchmarks/predict_speed.json

FOLDER is a checkout of the older version. Also timed is this version with the network exported as ONNX. Each run is a
process of its own; all take turns on the same photograph, which is synthetic, and on the same networks with random
weights. CPU seconds are those of all threads: on a busy machine they change less than the seconds on the clock, whose
load is recorded.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import cv2
import numpy as np
import pandas as pd
import torch
from _command import Command
from _record import write
from safetensors.torch import save_file

from bench import plugins
from bench.formats import run as run_format

NETWORKS = (("unet", "efficientnet_lite0", 128), ("unet", "resnet18", 448))
"""Model, encoder and tile in px: those of the open track, and larger ones."""

CHILD = """
import json, os, resource, sys, time
from pathlib import Path
from bench.tools.predict import Network, View, on_images
began = time.perf_counter()
on_images(Network(Path(sys.argv[1]), device="cpu"), Path(sys.argv[2]), Path(sys.argv[3]), View())
used = resource.getrusage(resource.RUSAGE_SELF)
lines = Path("/proc/self/status").read_text().splitlines()
peak_kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
print(json.dumps({"seconds": time.perf_counter() - began, "cpu_seconds": used.ru_utime + used.ru_stime,
                  "peak_memory_gb": peak_kib / 2**20}))
"""


def write_run(folder: Path, model: str, encoder: str, side: int) -> Path:
    """Write a run of a network with random weights."""
    torch.manual_seed(0)
    network = plugins.build_network(model, 3, 1, side, encoder, None)
    folder.mkdir(parents=True)
    save_file(
        {name: value.contiguous() for name, value in network.state_dict().items()}, folder / "weights.safetensors"
    )
    record = dict.fromkeys(run_format.RECORD, "") | {"model": model, "code": {}, "versions": {}, "hardware": {}}
    record["settings"] = {"prepare": {"image_size": side}, "train": {"encoder": encoder}}
    run_format.write(folder, record, pd.DataFrame([dict.fromkeys(run_format.HISTORY, 1)]))
    return folder


def write_onnx(path: Path, model: str, encoder: str, side: int) -> Path:
    """Write the same network as an ONNX file."""
    torch.manual_seed(0)
    network = plugins.build_network(model, 3, 1, side, encoder, None).eval()
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        network, (torch.rand(2, 3, side, side),), str(path), dynamo=True, verbose=False, external_data=False,
        dynamic_shapes=({0: batch},),
    )  # fmt: skip
    return path


def write_photograph(path: Path, megapixels: float) -> None:
    """Write a grey wall with dark cracks, 3 to 2."""
    random, height = np.random.default_rng(0), round((megapixels * 1e6 * 2 / 3) ** 0.5)
    image = random.normal(130, 18, (height, round(1.5 * height), 1)).clip(0, 255).astype(np.uint8).repeat(3, axis=2)
    for _ in range(8):
        points = np.cumsum(random.normal(0, height / 60, (60, 2)), 0) + random.uniform(0, height, 2)
        cv2.polylines(image, [points.astype(np.int32)], False, (30, 30, 30), 5)
    path.parent.mkdir()
    cv2.imwrite(str(path), image)


def measure(code: Path, network: Path, photographs: Path) -> dict[str, float]:
    """Return seconds, CPU seconds and peak memory of one prediction by the version in ``code``."""
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, network, photographs, target], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONPATH": str(code)}, cwd=target,
        )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


@click.command(cls=Command)
@click.option(
    "--before", type=click.Path(path_type=Path, exists=True), required=True, help="Checkout of the older one."
)
@click.option("--megapixels", default=20.0, show_default=True, help="Size of the photograph.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the results to this JSON file.")
def main(before: Path, megapixels: float, repeats: int, out: Path | None) -> None:
    here = Path(__file__).resolve().parents[1]
    versions = {"before": before.resolve(), "now": here, "now_onnx": here}
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_photograph(Path(folder) / "photographs" / "wall.png", megapixels)
        for model, encoder, side in NETWORKS:
            network = write_run(Path(folder) / f"{model}_{encoder}", model, encoder, side)
            exported = write_onnx(Path(folder) / f"{model}_{encoder}.onnx", model, encoder, side)
            found: dict[str, list[dict[str, float]]] = {name: [] for name in versions}
            for name, code in [*versions.items()] * repeats:
                given = exported if name == "now_onnx" else network
                found[name].append(measure(code, given, Path(folder) / "photographs"))
                click.echo(f"{model} {encoder} {side} px, {name}: {found[name][-1]}")
            medians = {
                f"{name}_{key}": round(statistics.median(run[key] for run in runs), 2)
                for name, runs in found.items()
                for key in runs[0]
            }
            times = {
                f"times_as_fast_{name}": round(medians["before_seconds"] / medians[f"{name}_seconds"], 2)
                for name in ("now", "now_onnx")
            }
            results[f"{model} {encoder} {side} px"] = medians | times
    write(out, {"megapixels": megapixels, "repeats": repeats, "predict_speed": results})


if __name__ == "__main__":
    main()
