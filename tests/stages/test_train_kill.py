"""A training that is killed at random moments ends as if it had never been."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.formats import prepared

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KILLS = 10
EPOCHS = 17  # of two steps each: more than 10 attempts make


def _dataset(folder: Path) -> None:
    """Write ten 32 px images with a dark bar each."""
    generator = np.random.default_rng(0)
    items = pd.DataFrame({"item": [f"i{n}" for n in range(10)], "split": ["train"] * 8 + ["test"] * 2})
    items["file"] = items["photo"] = items["item"]

    def pairs():
        for n in range(10):
            image = generator.integers(100, 160, (32, 32, 3), dtype=np.uint8)
            mask = np.zeros((32, 32), np.uint8)
            mask[:, 3 * n : 3 * n + 3] = 1
            image[mask > 0] //= 3
            yield image, mask, (32, 32)

    card = {"dataset": "cfd", "classes": 1, "settings": {"image_size": 32}, "origin": {"source": "sample"}}
    prepared.write(folder, items, card, pairs())


def test_killed_at_random_moments_ends_bit_identical(tmp_path: Path) -> None:
    _dataset(tmp_path / "prepared")
    script = ROOT / "tests" / "stages" / "kill_script.py"
    command = [sys.executable, str(script), str(tmp_path), str(KILLS), str(EPOCHS)]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)

    logs = "\n".join(p.read_text()[-2000:] for p in tmp_path.glob("*.log"))
    assert report["whole"] == report["last"] == 0, logs
    assert report["kills"] == KILLS, f"the training was over after {report['kills']} kills: raise EPOCHS"
    whole, killed = report["digests"]
    assert len(whole) == 12  # weights, history, two probability maps, and the four gates of each
    assert killed == whole
    assert not report["left"]
