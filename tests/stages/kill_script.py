"""Kill a real training at random moments, and print how it ended beside one that was left alone.

Run in an interpreter of its own: it forks, which is safe only while torch has not started its threads.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import segmentation_models_pytorch  # noqa: F401  (imported before the forks, so that they start in no time)
import yaml

from bench.settings import section
from bench.stages import train
from bench.training import saver
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]
FOLDER, KILLS, EPOCHS = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


def start(run: str) -> int:
    """Train in a process of its own, with a checkpoint after every step; return its number."""
    if child := os.fork():
        return child
    os.dup2(os.open(FOLDER / f"{run}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    saver.CHECKPOINT_SHARE = 1e9
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"encoder": "mobilenet_v2", "weights": None, "epochs": EPOCHS, "batch": 4, "threads": 1}
    params["train"]["checkpoint_minutes"] = 0
    settings = section(params, "train", TrainSettings)
    # Context-CrackNet has dropout: the random state must survive too
    train.run(FOLDER / "prepared", FOLDER / "runs" / run, "context_cracknet", 0, settings)
    os._exit(0)


def digests(run: str) -> dict[str, str]:
    """Return the hashes of all that must not differ; run.json holds durations."""
    folder = FOLDER / "runs" / run
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in ("run.json", "SHA256SUMS"))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def alive(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG) == (0, 0)


report: dict[str, object] = {"whole": os.waitpid(start("whole"), 0)[1], "kills": 0, "moments": []}
seconds_per_step = json.loads((FOLDER / "runs" / "whole" / "run.json").read_text())["seconds"] / (2 * EPOCHS)
generator = random.Random(0)
checkpoint = FOLDER / "runs" / ".killed.checkpoint"
for kill in range(KILLS):
    before = set(checkpoint.glob("*.safetensors"))
    child = start("killed")
    while set(checkpoint.glob("*.safetensors")) <= before and alive(child):
        time.sleep(0.002)  # nothing is lost before the first checkpoint of this attempt
    time.sleep(generator.uniform(0, 1.5) * seconds_per_step)  # so that each attempt makes one to three steps
    if not alive(child):
        break
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    report["kills"] = kill + 1
    report["moments"].append(sorted(p.stem.split("-")[0] for p in checkpoint.glob("*.safetensors")))  # type: ignore[attr-defined]
report["last"] = os.waitpid(start("killed"), 0)[1]
report["left"] = checkpoint.exists()
report["digests"] = [digests("whole"), digests("killed")]
print(json.dumps(report))
