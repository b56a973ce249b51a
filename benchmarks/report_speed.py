"""Time the report of the full 10 x 10 grid (synthetic scores): every part, median of several runs, no source images.

Usage: python benchmarks/report_speed.py [--workspace FOLDER] --out benchmarks/NAME.json
"""

import json
import os
import platform
import runpy
import statistics
import tempfile
import time
from pathlib import Path

import click
import yaml

from bench.formats import files
from bench.machine import cores
from bench.ranking.results import read
from bench.report.context import Values
from bench.report.figures import OF_PHOTOGRAPHS
from bench.report.parts import PARTS

SUMS = {"tables and figures": {"page", *OF_PHOTOGRAPHS}, "all": set()}
"""Sum -> parts that it leaves out."""


@click.command()
@click.option("--repeats", default=3, show_default=True)
@click.option("--workspace", type=click.Path(path_type=Path), help="Of real runs, with photographs; else made here.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures here as JSON.")
def main(repeats: int, workspace: Path | None, out: Path | None) -> None:
    """Time every part of the report."""
    with tempfile.TemporaryDirectory() as folder:
        if workspace is None:
            workspace = Path(folder)
            runpy.run_path(str(Path(__file__).parents[1] / "tests" / "report" / "synthetic.py"))["write"](workspace)
        runs = [one(workspace) for _ in range(repeats)]
    wall = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    wall |= {name: round(sum(s for n, s in wall.items() if n not in left_out), 3) for name, left_out in SUMS.items()}
    machine = f"{platform.machine()}, {cores()} cores, load {os.getloadavg()[0]:.1f}"
    found = {"machine": machine, "repeats": repeats, "photographs": (workspace / "runs").is_dir(), "wall_s": wall}
    click.echo(json.dumps(found, indent=1))
    if out:
        files.write_json(out, found)


def one(workspace: Path) -> dict[str, float]:
    """Return the seconds that each part takes, in the order of the report."""
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    start = time.perf_counter()
    results = read(workspace / "results", params["datasets"], params["models"], params["seeds"])
    values = Values(results, "batch_mean", workspace / "prepared", workspace / "runs")
    found = {"read": time.perf_counter() - start}
    for name, part in PARTS.items():
        start = time.perf_counter()
        list(part(values))
        found[name] = time.perf_counter() - start
    return found


if __name__ == "__main__":
    main()
