"""A model of an installed package: `bench add-model`, then a real `dvc repro` runs its cells and no others."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.errors import UserError
from bench.tools import add_model
from bench.tools.workspace import create_workspace

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "datasets": ["cfd"],
    "models": ["unet"],
    "download": {"source": "sample", "sample": {"images": 6, "size": 64}},
    "prepare": {"image_size": 64},
    "train": {"encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 4, "threads": 1},
    "measure": {"image_size": 64, "warmup": 0, "repeats": 2},
}
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "other-net"
version = "1.0"
[project.entry-points."bench.models"]
other_net = "other_net.network"
[tool.hatch.build.targets.wheel]
packages = ["other_net"]
"""
MODEL = '''"""OtherNet: a convolution from another package."""

NAME = "OtherNet"


def build(channels, classes, image_size, encoder, weights):
    from torch import nn

    return nn.Conv2d(channels, classes, 3, padding="same")
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace with code of its own, so that the file of the new model is written there."""
    folder = tmp_path / "workspace"
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    create_workspace(ROOT, folder, SETTINGS)
    return folder


def install(folder: Path) -> None:
    """Install the package beside the workspace, as pip does it."""
    source = folder.parent / "source"
    (source / "other_net").mkdir(parents=True, exist_ok=True)
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "other_net" / "__init__.py").write_text("")
    (source / "other_net" / "network.py").write_text(MODEL)
    flags = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "--upgrade"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *flags]
    subprocess.run([*pip, "--target", str(folder.parent / "site"), str(source)], check=True, capture_output=True)


def call(folder: Path, *command: str, fails: bool = False) -> str:
    """Run a command in the workspace and return what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = os.pathsep.join([str(folder), str(folder.parent / "site")])
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=os.environ | {"PATH": path, "PYTHONPATH": found},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def stale(folder: Path) -> set[str]:
    """Return the stages that the next `dvc repro train` runs."""
    return set(json.loads(call(folder, "dvc", "status", "--json", "train")))


@pytest.mark.slow
def test_an_installed_model_runs_only_its_own_cells(workspace: Path) -> None:
    call(workspace, "dvc", "repro", "train")
    said = call(workspace, "bench", "add-model", "other_net", fails=True)
    assert "no installed package offers a model 'other_net'" in said

    install(workspace)
    assert "from other-net 1.0" in call(workspace, "bench", "add-model", "other_net")
    assert yaml.safe_load((workspace / "params.yaml").read_text())["models"] == ["unet", "other_net"]
    said = call(workspace, "dvc", "repro", "evaluate")
    ran = {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}
    assert ran == {"train@cfd-other_net-0", "evaluate@cfd"}
    assert "OtherNet" in call(workspace, "bench", "leaderboard", "--resamples", "100")

    call(workspace, "bench", "add-model", "other_net")  # nothing has changed
    assert stale(workspace) == set()
    network = workspace.parent / "site" / "other_net" / "network.py"
    network.write_text(network.read_text().replace("classes, 3", "classes, 5"))
    call(workspace, "bench", "add-model", "other_net")
    assert stale(workspace) == {"train@cfd-other_net-0"}


def test_a_model_of_ones_own_is_never_overwritten(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(workspace)
    monkeypatch.syspath_prepend(tmp_path / "site")
    own = tmp_path / "other_net.py"
    own.write_text("mine")
    with pytest.raises(UserError, match=r"other_net\.py is not from a package: other-net 1\.0 must offer"):
        add_model.add_model("other_net", workspace / "params.yaml", tmp_path)
    assert own.read_text() == "mine"
