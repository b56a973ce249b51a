"""Kill trainings at random moments, resume them, and compare weights and predictions with an uninterrupted one.

With train.deterministic the files must be bit-identical, on a GPU too; without it, a GPU adds in another order each
time, and the largest difference of the predictions is shown.

Usage: python benchmarks/kill_resume.py --kills 3 --image-size 448 --batch 16 --out benchmarks/NAME.json
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import yaml
from _command import Command
from safetensors.numpy import load_file
from train_throughput import ROOT, make_data

from bench import plugins
from bench.formats import files
from bench.settings import load_params
from bench.training.device import pick_device
from bench.training.provenance import describe_hardware, versions


def start(work: Path, run: Path, model: str) -> subprocess.Popen[bytes]:
    """Start a training of seed 0 in a process group of its own."""
    command = [sys.executable, "-m", "bench", "--params", str(work / "params.yaml"), "train", str(work / "prepared")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        [*command, str(run), "--model", model, "--seed", "0"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a training and require that it succeeded."""
    if process.wait() != 0:
        raise click.ClickException(f"a training ended with exit code {process.returncode}")


def digests(run: Path) -> dict[str, str]:
    """Return the checksums of a run's weights, history and predictions."""
    paths = [path for path in run.rglob("*") if path.is_file() and path.name not in ("run.json", "SHA256SUMS")]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def largest_difference(a: Path, b: Path) -> float:
    """Return the largest absolute difference of two runs' weights."""
    first, second = load_file(a / "weights.safetensors"), load_file(b / "weights.safetensors")
    return max(float(np.abs(first[name].astype(float) - second[name]).max()) for name in first)


@click.command(cls=Command)
@click.option("--model", default="unet")
@click.option("--encoder", default="resnet18")
@click.option("--image-size", default=448)
@click.option("--batch", default=16)
@click.option("--images", default=118, help="Synthetic pairs; a fifth is for validation.")
@click.option("--epochs", default=10)
@click.option("--kills", default=3, help="Trainings to kill and resume.")
@click.option("--device", default="auto")
@click.option("--out", type=click.Path(path_type=Path), help="Write the results to this JSON file.")
def main(model, encoder, image_size, batch, images, epochs, kills, device, out):
    plugins.load("models", model)
    place, rows = pick_device(device), []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_data(work, images, image_size)
        for deterministic in (True, False):
            rows.append(_compare(work, model, {"deterministic": deterministic}, kills, {
                "encoder": encoder, "weights": None, "batch": batch, "epochs": epochs, "device": device,
                "checkpoint_minutes": 0.02,
            }))  # fmt: skip
            click.echo(rows[-1])
    setting = {"model": model, "encoder": encoder, "image_size": image_size, "batch": batch, "epochs": epochs}
    facts = {"rows": rows, "setting": setting, "hardware": describe_hardware(place), "versions": versions()}
    if out:
        files.write_json(out, facts)
    if not rows[0]["identical"] == kills:
        raise click.ClickException("with train.deterministic, a resumed training differs from an uninterrupted one")


def _compare(work, model, mode, kills, settings):
    """Return how many killed and resumed trainings equal the uninterrupted one, and how much the others differ."""
    params = load_params(ROOT / "params.yaml")
    params["train"] |= settings | mode
    (work / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    kind = "deterministic" if mode["deterministic"] else "default"
    whole, began = work / kind / "whole", time.monotonic()
    finish(start(work, whole, model))
    whole_s, same, differences, moments, generator = time.monotonic() - began, 0, [], [], random.Random(0)
    for number in range(kills):
        run = work / kind / f"killed{number}"
        process = start(work, run, model)
        moments.append(generator.uniform(0.6, 0.95))
        time.sleep(moments[-1] * whole_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        resumed = any(run.parent.glob(f".{run.name}.checkpoint*"))
        finish(start(work, run, model))
        same += digests(run) == digests(whole) and resumed
        differences.append(largest_difference(run, whole))
    return mode | {
        "killed": kills, "identical": same, "largest_difference_of_weights": max(differences, default=0.0),
        "killed_at": [round(moment, 2) for moment in moments], "uninterrupted_s": round(whole_s, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
