"""Time the everyday commands in a workspace where everything is up to date: median of several runs.

Usage: bench demo && python benchmarks/everyday_speed.py demo --out benchmarks/NAME.json
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click

from bench.formats import files
from bench.training.device import pick_device
from bench.training.provenance import describe_hardware

COMMANDS = {
    "bench --help": ["bench", "--help"],
    "bench leaderboard": ["bench", "leaderboard"],
    "bench check": ["bench", "check"],
    "bench sweep --status": ["bench", "sweep", "--status"],
    "dvc status": ["dvc", "status"],
    "dvc repro, nothing to do": ["dvc", "repro"],
}


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path, exists=True))
@click.option("--repeats", default=5)
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures here as JSON.")
def main(workspace, repeats, out):
    seconds = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, (program, *arguments) in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(
                [Path(sys.executable).parent / program, *arguments],
                cwd=workspace,
                env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
                check=True,
                stdout=subprocess.DEVNULL,
            )
            seconds[name].append(time.perf_counter() - began)
    medians = {name: round(statistics.median(values), 2) for name, values in seconds.items()}
    for name, value in medians.items():
        click.echo(f"{name:28} {value:.2f} s")
    if out:
        cells = len(list(workspace.glob("runs/*/*/*/run.json")))
        facts = {"seconds": medians, "repeats": repeats, "cells": cells}
        files.write_json(out, facts | {"hardware": describe_hardware(pick_device("cpu"))})


if __name__ == "__main__":
    main()
