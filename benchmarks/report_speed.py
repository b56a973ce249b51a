"""Time the report of the full 10 x 10 grid (synthetic scores): every part, median of several runs; no photographs.

Run: python benchmarks/report_speed.py [REPEATS]
"""

import os
import runpy
import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml

from bench.results import read
from bench.stages._report_parts import PARTS
from bench.stages._report_values import Values


def main(repeats: int) -> None:
    write = runpy.run_path(str(Path(__file__).parents[1] / "tests" / "report" / "synthetic.py"))["write"]
    wall: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        params = yaml.safe_load((Path(folder) / "params.yaml").read_text())
        for _ in range(repeats):
            start, used = time.perf_counter(), time.process_time()
            results = read(Path(folder) / "results", params["datasets"], params["models"], params["seeds"])
            values = Values(results, "batch_mean", Path(folder) / "prepared", Path(folder) / "runs")
            for name, part in {"read": None, **PARTS}.items():
                if part is not None:
                    list(part(values))
                wall.setdefault(name, []).append(time.perf_counter() - start)
                processor.setdefault(name, []).append(time.process_time() - used)
                start, used = time.perf_counter(), time.process_time()
    print(f"{len(os.sched_getaffinity(0))} cores, median of {repeats}; load {os.getloadavg()[0]:.1f}")
    for name in wall:
        print(f"{name:20} {statistics.median(wall[name]):6.2f} s wall {statistics.median(processor[name]):6.2f} s CPU")
    for label, left_out in (("tables and figures", {"page"}), ("all", set())):
        sums = [sum(statistics.median(t[n]) for n in t if n not in left_out) for t in (wall, processor)]
        print(f"{label:20} {sums[0]:6.2f} s wall {sums[1]:6.2f} s CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
