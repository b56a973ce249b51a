"""Write the numbers of a benchmark, and the machine that produced them, as JSON."""

import argparse
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.machine import cores


def asked(description: str | None) -> Path | None:
    """Return the file named with --out."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="Write the numbers here too, as JSON.")
    out: Path | None = parser.parse_args().out
    return out


def write(out: Path | None, found: dict[str, Any]) -> None:
    """Write numbers, with processor, cores and load: timings of a busy machine are upper bounds."""
    if out is None:
        return
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    machine = {
        "processor": names[0] if names else "unknown", "cores": cores(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"), "load_1min": round(os.getloadavg()[0], 1),
        "numpy": version("numpy"), "opencv": version("opencv-python-headless"),
    }  # fmt: skip
    out.write_text(json.dumps({"machine": machine} | found, indent=1) + "\n", encoding="utf-8")
