"""The code beside params.yaml runs, wherever the command was installed from."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

from bench.settings import load_params

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILES = ("dvc.yaml", "data.dvc", "params.yaml", ".dvcignore", ".gitignore")
SETTINGS = {
    "datasets": ["cfd"],
    "models": ["unet"],
    "download": {"source": "sample", "mirrors": [], "sample": {"images": 6, "size": 64, "seed": 0}},
}
VARIABLES = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
VARIABLES["DVC_NO_ANALYTICS"] = "true"
TIMEOUT_S = 240
"""Time limit of one command; each takes a few seconds on an idle machine, half a minute for the queue."""


def environment() -> dict[str, str]:
    """Return the environment of a user who works in another folder, with this environment's programs first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    return kept | VARIABLES | {"PATH": path}


def call(folder: Path, *command: str, fails: bool = False, **variables: str) -> str:
    """Run a command in a folder, with the package installed from this checkout, and return what it prints."""
    done = subprocess.run(
        command, cwd=folder, env=environment() | variables, capture_output=True, text=True, check=False,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def bench(folder: Path, *arguments: str, fails: bool = False, **variables: str) -> str:
    """Run the command as installed from this checkout, in another folder: ``-P`` leaves that out of the path."""
    start = "from bench.cli.main import main; main(prog_name='bench')"
    command = [sys.executable, "-P", "-c", start, *arguments]
    return call(folder, *command, fails=fails, PYTHONPATH=str(ROOT), **variables)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return another clone of the project, whose U-Net has another name."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    rename(folder, "Net of the clone")
    return folder


def rename(folder: Path, name: str) -> None:
    path = folder / "bench" / "models" / "unet.py"
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(f'NAME = "{name}"' if line.startswith("NAME =") else line for line in text) + "\n")


def test_the_code_of_another_clone_runs_there(clone: Path, tmp_path: Path) -> None:
    said = bench(clone, "list", "models")
    assert "Net of the clone" in said
    assert f"running the code in {clone / 'bench'}, not that in {ROOT / 'bench'}" in said
    assert "Net of the clone" in bench(tmp_path, "--params", str(clone / "params.yaml"), "list", "models")
    assert "Net of the clone" in bench(ROOT / "bench", "--params", str(clone / "params.yaml"), "list", "models")


def test_a_failure_of_the_code_that_runs_is_the_status(clone: Path) -> None:
    assert "did you mean 'crack_iou'" in bench(clone, "explain", "crack_iuo", fails=True)


def test_without_code_beside_params_the_installed_code_runs(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()  # a folder that is no package of this suite
    assert "Net of the clone" not in (said := bench(tmp_path, "list", "models"))
    assert "running the code" not in said


def test_a_linked_workspace_runs_the_code_it_links_to(tmp_path: Path) -> None:
    (tmp_path / "bench").symlink_to(ROOT / "bench", target_is_directory=True)
    assert "running the code" not in bench(tmp_path, "list", "models")


def test_code_that_cannot_be_reached_is_refused_by_name(clone: Path) -> None:
    said = bench(clone, "list", "models", fails=True, CRACKBENCH_RESTARTED=str(clone / "bench"))
    assert str(ROOT / "bench") in said
    assert str(clone / "bench") in said
    assert "pip install --editable" in said


def run_queue(folder: Path) -> None:
    """Run the queued experiments, then stop the worker that DVC starts for them.

    The worker outlives the command and keeps its output open: a pipe would never end.
    """
    with (folder / "queue.log").open("w") as log:
        dvc = partial(
            subprocess.run, cwd=folder, env=environment(), stdout=log, stderr=log, check=False, timeout=TIMEOUT_S
        )
        try:
            done = dvc(["dvc", "exp", "run", "--run-all"])
        finally:
            dvc(["dvc", "queue", "stop", "--kill"])
    assert done.returncode == 0, (folder / "queue.log").read_text()


def test_a_queued_experiment_trains_the_changed_model(clone: Path) -> None:
    tiny = {"encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 2, "threads": 1}
    params = load_params(clone / "params.yaml") | SETTINGS
    params["prepare"] |= {"image_size": 64, "mask_threshold": 127}
    params["train"] |= tiny
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (clone / "data.dvc").write_text("deps:\n- path: downloads\nouts:\n- path: data\n")
    rename(clone, "Committed net")
    call(clone, "git", "init", "--quiet")
    call(clone, "dvc", "init", "--quiet")
    call(clone, "dvc", "repro", "--quiet", "prepare")
    call(clone, "git", "add", "--all")
    call(clone, "git", "commit", "--quiet", "--message", "first")
    rename(clone, "Queued net")
    call(clone, "dvc", "exp", "run", "--queue", "--name", "queued", "train")
    rename(clone, "Later net")  # what the workspace holds when the queue runs is not what was queued
    run_queue(clone)
    call(clone, "git", "checkout", "--quiet", "--", "bench")
    call(clone, "dvc", "exp", "apply", "queued")
    record = json.loads((clone / "runs" / "cfd" / "unet" / "0" / "run.json").read_text())
    assert record["model_name"] == "Queued net"
