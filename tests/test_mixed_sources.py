"""Datasets of different sources in one report, under a real DVC: own, from the collection, from the authors."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.tools.workspace import create_workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
DATASETS = ["volker", "deepcrack", "my_walls"]
SETTINGS = {
    "datasets": DATASETS[:2],
    "models": ["unet"],
    "plugins": "mine",
    "prepare": {"image_size": 64, "mask_threshold": 127},
    "train": {"encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 4, "threads": 1},
    "measure": {"encoder": "mobilenet_v2", "image_size": 64, "warmup": 0, "repeats": 1},
}


def write_pair(image_path: Path, mask_path: Path, seed: int) -> None:
    """Write a noisy image with a dark line, and its mask."""
    for path in (image_path, mask_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(90, 160, (64, 64, 3), dtype=np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    cv2.line(mask, (0, 5 + 5 * seed), (63, 60 - 5 * seed), 255, 3)
    image[mask > 0] = 20
    cv2.imwrite(str(image_path), image)
    cv2.imwrite(str(mask_path), mask)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace in which the pipeline ran on data of three sources."""
    top = tmp_path_factory.mktemp("mixed")
    archive, own = top / "archive", top / "walls"
    for seed in range(8):
        name = f"Volker_DSC{seed}_0_0_64_64.jpg"
        write_pair(archive / "images" / name, archive / "masks" / name, seed)
        part = "test" if seed % 4 == 0 else "train"
        write_pair(archive / f"{part}_img" / f"{seed}.jpg", archive / f"{part}_lab" / f"{seed}.png", 10 + seed)
        write_pair(own / "images" / f"wall_{seed}.png", own / "masks" / f"wall_{seed}.png", 20 + seed)
    folder = top / "workspace"
    create_workspace(ROOT, folder, SETTINGS | {"download": {"source": str(archive)}})
    call(folder, "bench", "add-dataset", str(own), "--name", "my_walls")
    call(folder, sys.executable, "-m", "dvc", "repro")
    return folder


def call(folder: Path, *command: str) -> str:
    """Run a command in the workspace and return what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_three_sources_share_one_protocol_and_one_report(workspace: Path) -> None:
    status = call(workspace, "bench", "download", "--status")
    assert all(source in status for source in ("collection", "originals", "folder"))
    assert "3 cells checked: 0 findings." in call(workspace, "bench", "check")
    report = (workspace / "reports" / "README.md").read_text()
    assert "protocols" not in report
    table = (workspace / "reports" / "tables" / "table1.md").read_text()
    assert all(name in table for name in ("Volker", "DeepCrack", "my walls"))


def test_they_are_ranked_and_compared_together(workspace: Path) -> None:
    for name in DATASETS:
        predictions = f"runs/{name}/unet/0/probabilities"
        call(workspace, "bench", "score", predictions, "--dataset", name, "--model", "same_again")
    assert "mean over Volker, DeepCrack, my walls" in call(workspace, "bench", "leaderboard", "--resamples", "100")
    assert "Verdict" in call(workspace, "bench", "compare", "same_again", "--resamples", "100")
