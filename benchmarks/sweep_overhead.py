"""Measure the overhead of a sweep: (a) grids, compared with `dvc repro`; (b) no-op cells; (c) schedules of a full grid.

(a) grid: seconds from the start of a command until all cells are recorded: `bench sweep --jobs 1`, `--jobs 2`,
    `dvc repro train`; one epoch on small images each, so that what is measured is not the training. With --before, a
    checkout of another version, also its `dvc repro train`.
(b) noop: seconds per cell for claim, fork, log and exit (engine), and for querying and updating DVC (ask, record), by
    number of cells.
(c) paper: makespan of the full paper grid, longest cells first, compared with the lower bound (work shared evenly, or
    the longest cell), from seconds per image and model.

Usage: python benchmarks/sweep_overhead.py grid --datasets 10 --models 10 --out benchmarks/NAME.json
       python benchmarks/sweep_overhead.py noop --cells 100 --cells 1000 --cells 10000
       python benchmarks/sweep_overhead.py paper benchmarks/THROUGHPUT.json --gpus 1 --gpus 8 --gpus 64
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import click

from bench import plugins
from bench.cli.main import run_command
from bench.formats import files
from bench.settings import load_params
from bench.sweep import cells, ledger, local
from bench.sweep.cells import Cell
from bench.sweep.slots import Slot
from bench.tools import workspace
from bench.tools.plan import makespan

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "download": {"source": "sample"},
    "prepare": {"image_size": 128, "mask_threshold": 127},
    "train": {"encoder": "efficientnet_lite0", "weights": None, "epochs": 1, "batch": 4, "lr": 1e-3},
}


@click.group()
def main():
    pass


@main.command()
@click.option("--datasets", default=10, help="Number of datasets, of the ten.")
@click.option("--models", default=10)
@click.option("--repeats", default=3, help="Runs of each; the median is reported.")
@click.option("--before", type=click.Path(path_type=Path, exists=True, resolve_path=True), help="Another checkout.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the results to this JSON file.")
def grid(datasets, models, repeats, before, out):
    params = load_params(ROOT / "params.yaml")
    lists = {"datasets": params["datasets"][:datasets], "models": params["models"][:models]}
    sweep = [sys.executable, "-P", "-m", "bench", "sweep", "--jobs"]
    kinds = {
        "sweep --jobs 1": [*sweep, "1"],
        "sweep --jobs 2": [*sweep, "2"],
        "dvc repro": [sys.executable, "-P", "-m", "dvc", "repro", "train"],
    }
    if before:
        kinds["dvc repro, before"] = kinds["dvc repro"]
    seconds = {kind: [] for kind in kinds}
    for _ in range(repeats):  # in turn, so that a drift of the machine affects all
        for kind, command in kinds.items():
            code = before if kind.endswith("before") else ROOT
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            environment = os.environ | {"PATH": path, "PYTHONPATH": str(code)}
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name) / "ws"
                make = "from bench.tools import workspace as w; w.create_workspace(w.Path({!r}), w.Path({!r}), {!r})"
                make = make.format(str(code), str(folder), SETTINGS | lists)
                subprocess.run([sys.executable, "-P", "-c", make], env=environment, check=True)
                run = partial(subprocess.run, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
                run([sys.executable, "-P", "-m", "dvc", "repro", "--quiet", "prepare"])
                began = time.perf_counter()
                run(command, stderr=subprocess.DEVNULL)
                seconds[kind].append(round(time.perf_counter() - began, 2))
                assert not cells.stale(folder, "train")[0]
                click.echo(json.dumps({kind: seconds[kind][-1]}))
    _report({"cells": datasets * models, "seconds": {k: statistics.median(v) for k, v in seconds.items()}}, out)


@main.command()
@click.option("--cells", "counts", multiple=True, type=int, default=(100, 1000), help="Number of cells.")
@click.option("--jobs", default=2)
@click.option("--out", type=click.Path(path_type=Path))
def noop(counts, jobs, out):
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            row = {"cells": count, "load_1min": round(os.getloadavg()[0], 1)}
            row |= {"engine_s_per_cell": _engine(Path(name), count, jobs) / count}
            rows.append(row | {k: v / count for k, v in _dvc(Path(name) / "dvc", count).items()})
        click.echo(json.dumps(rows[-1]))
    _report({"rows": rows, "jobs": jobs}, out)


def _engine(folder, count, jobs):
    """Return the seconds of no-op cells, imports included."""
    todo = []
    for i in range(count):
        cell = Cell(f"noop@{i}", ("--version",), None, Path("runs") / str(i), "f")
        todo.append((cell, ledger.Attempt(folder / ".sweep" / cell.name, 0)))
    state = local.SweepState(todo)
    began = time.perf_counter()
    local.run_cells(folder, state, [Slot(None, 1)] * jobs, None, lambda state: None, run_command)
    assert all(attempt.state == "done" for _, attempt in state.ended)
    return time.perf_counter() - began


def _dvc(folder, count):
    """Return the seconds per call to ask DVC for stale cells, and to record all of them."""
    folder.mkdir()
    stage = {"matrix": {"i": [f"c{i}" for i in range(count)]}, "cmd": "bench ${item.i}", "outs": ["out/${item.i}"]}
    files.write_json(folder / "dvc.yaml", {"stages": {"noop": {**stage, "deps": ["dep"]}}})  # JSON is YAML
    (folder / "dep").write_text("x")
    workspace.dvc(folder, "init", "--no-scm", "--quiet")
    began = time.perf_counter()
    todo = cells.stale(folder, "noop")[0]
    ask_s = time.perf_counter() - began
    (folder / "out").mkdir()
    for cell in todo:
        (folder / cell.target).write_text(cell.name)
    began = time.perf_counter()
    assert not cells.record(folder, {cell.name: cell.fingerprint for cell in todo})
    return {"ask_s_per_cell": ask_s, "record_s_per_cell": time.perf_counter() - began}


@main.command()
@click.argument("throughput", type=click.Path(path_type=Path, exists=True))
@click.option("--gpus", multiple=True, type=int, default=(1, 8, 64))
@click.option("--out", type=click.Path(path_type=Path))
def paper(throughput, gpus, out):
    params = load_params(ROOT / "params.yaml")
    measured = files.read_json(throughput)
    speeds = {row["model"]: row["ours_images_per_s"] for row in measured["rows"]}
    share = 1 - params["prepare"]["test_share"]
    images = {d: round(plugins.load("datasets", d).CARD.images * share) for d in params["datasets"]}
    seconds = [
        params["train"]["epochs"] * images[d] / speeds[m] for d in images for m in params["models"] if m in speeds
    ]
    rows = []
    for count in gpus:
        span, bound = makespan(seconds, count), max(sum(seconds) / count, max(seconds))
        row = {"devices": count, "hours": round(span / 3600, 2), "bound_hours": round(bound / 3600, 2)}
        rows.append(row | {"over_bound": round(span / bound, 4)})
    speeds_of = {key: measured["setting"][key] for key in ("encoder", "image_size", "batch")} | measured["hardware"]
    facts = {"cells": len(seconds), "epochs": params["train"]["epochs"], "speeds_of": speeds_of}
    _report(facts | {"device_hours": round(sum(seconds) / 3600, 1), "rows": rows}, out)


def _report(content, out):
    click.echo(json.dumps(content, indent=1))
    if out:
        files.write_json(out, content | {"cores": os.cpu_count()})


if __name__ == "__main__":
    main()
