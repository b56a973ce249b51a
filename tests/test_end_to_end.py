"""The pipeline under a real DVC, from nothing to the report, and what it runs again after a change."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.tools.workspace import create_workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "datasets": ["cfd"],
    "models": ["unet", "linknet"],
    "download": {"source": "sample", "sample": {"images": 6, "size": 64}},
    "prepare": {"image_size": 64},
    "train": {"encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 2, "threads": 1},
    "measure": {"encoder": "mobilenet_v2", "image_size": 64, "warmup": 0, "repeats": 2},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace in which the pipeline ran once."""
    folder = tmp_path_factory.mktemp("end_to_end") / "workspace"
    create_workspace(ROOT, folder, SETTINGS)
    assert "Running stage 'download'" in repro(folder)
    return folder


def repro(folder: Path) -> str:
    """Run `dvc repro` and return what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran(output: str) -> set[str]:
    """Return the names of the stages that ran."""
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def test_everything_is_there(workspace: Path) -> None:
    for name in ("weights.safetensors", "history.csv", "run.json"):
        assert (workspace / "runs" / "cfd" / "unet" / "0" / name).is_file()
    tables = {path.name for path in (workspace / "reports" / "tables").glob("*.md")}
    assert {"table1.md", "table2.md", "table3.md", "table7.md"} <= tables
    drawn = {path.stem for path in (workspace / "reports" / "figures").glob("*.png")}
    assert {"figure6", "pareto", "ranks", "training", "precision_recall"} <= drawn
    pages = (p for p in (workspace / "reports").rglob("*.md") if not p.name.startswith("audit_"))  # of the paper alone
    for page in pages:
        assert "SAMPLE" in page.read_text(), f"{page} does not say that its numbers are of the synthetic sample"
    for svg in (workspace / "reports" / "figures").glob("*.svg"):
        assert svg.stat().st_size > 1000


def test_the_raw_data_are_pinned(workspace: Path) -> None:
    pinned = yaml.safe_load((workspace / "data.dvc").read_text())
    assert pinned["outs"][0]["md5"].endswith(".dir")
    assert sorted(p.name for p in (workspace / "data").iterdir()) == ["cfd"]


def test_the_provenance_is_recorded(workspace: Path) -> None:
    record = json.loads((workspace / "runs" / "cfd" / "unet" / "0" / "run.json").read_text())
    card = json.loads((workspace / "prepared" / "cfd" / "card.json").read_text())
    assert record["data"] == card["content"]
    assert record["source"] == "sample"
    assert record["settings"]["train"]["weights"] is None
    assert record["versions"]["torch"]


def test_nothing_runs_twice_and_a_new_model_runs_only_its_cells(workspace: Path) -> None:
    assert ran(repro(workspace)) == set()

    params = yaml.safe_load((workspace / "params.yaml").read_text())
    params["models"].append("fpn")
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))
    assert ran(repro(workspace)) == {"train@cfd-fpn-0", "evaluate@cfd", "transfer@cfd", "measure@fpn", "report"}
    assert "FPN" in (workspace / "reports" / "tables" / "table3.md").read_text()
