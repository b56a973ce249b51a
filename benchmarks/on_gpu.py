"""Measure on a GPU all that only a GPU shows, one benchmark after the other, and keep what is done when time is up.

Memory of a training step beside the computed one; throughput of ten models beside a plain script and the bare step,
with the cost of train.deterministic; killed trainings that resume; with --archive also the grid on real images.

Usage: python benchmarks/on_gpu.py gpu_name --minutes 15 [--archive crack_segmentation_dataset.zip]
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

import click
import psutil
from _command import Command
from real_runs import TEN

from bench.training.device import pick_device

FOLDER = Path(__file__).parent


@click.command(cls=Command, help=__doc__.splitlines()[0])
@click.argument("name")
@click.option("--minutes", default=15.0, show_default=True, help="Stop a benchmark that runs beyond this.")
@click.option("--archive", type=click.Path(exists=True, dir_okay=False), help="Archive for the grid on real images.")
@click.option("--epochs", default=60, show_default=True, help="Of the grid on real images.")
def main(name, minutes, archive, epochs):
    pick_device("cuda")
    commands = {
        "memory": ["--device", "cuda", "--image-size", "448", "--batches", "8,32"],
        "train_throughput": ["--models", TEN, "--images", "240", "--seconds", "3", "--brief", "--deterministic"],
        "kill_resume": ["--kills", "2"],
    }
    ends = time.monotonic() + 60 * minutes
    for kind, options in commands.items():
        _run(kind, [*options, "--out", str(FOLDER / f"{kind}_{name}.json")], ends)
    if archive:
        options = ["--archive", archive, "--datasets", "cfd", "--batch", "8", "--lr", "5e-4"]
        _run("real_runs", [name, *options, "--epochs", str(epochs), "--per-gpu", "4"], ends)


def _run(kind, options, ends):
    """Run a benchmark until it ends or time is up; one that fails does not keep the others from running."""
    began = time.monotonic()
    process = psutil.Popen([sys.executable, str(FOLDER / f"{kind}.py"), *options])
    try:
        code = process.wait(max(0, ends - began))
        state = "done" if code == 0 else f"failed with exit code {code}"
    except psutil.TimeoutExpired:
        for one in [*process.children(recursive=True), process]:  # trainings too, some in sessions of their own
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()
        state = "stopped, time is up"
    click.echo(f"{kind}: {state} after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
