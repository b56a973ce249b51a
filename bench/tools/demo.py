"""Run the pipeline in a workspace: a folder with its own params.yaml and DVC repository, linked to this code."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.errors import UserError
from bench.formats import files
from bench.settings import load_params, section
from bench.sweep.sweep import SweepSettings, sweep
from bench.sweep.worker import Command

PIPELINE = ("dvc.yaml", "data.dvc", ".dvcignore")

SETTINGS: dict[str, Any] = {
    "download": {"source": "sample"},
    "prepare": {"image_size": 128, "mask_threshold": 127},
    "train": {"encoder": "tu-mobilenetv3_small_100", "weights": None, "epochs": 2, "batch": 4, "lr": 1e-3},
    "measure": {"encoder": "tu-mobilenetv3_small_100", "image_size": 128, "warmup": 0, "repeats": 2},
}
"""Settings with which the ten-by-ten grid runs on two cores: small synthetic images, two epochs from scratch, and one
of the fastest and smallest CPU encoders that all ten models accept."""


def run_demo(project: Path, folder: Path, command: Command, settings: Mapping[str, Any] = SETTINGS) -> str:
    """Run the pipeline in a workspace, cells in parallel; return where the report is.

    Args:
        project: the checkout with params.yaml, dvc.yaml and bench/.
        folder: the workspace.
        command: runs the arguments of a command line, in the process of a cell.
        settings: nested; replace these keys of params.yaml; by default the ten-by-ten grid on the sample.

    Raises:
        UserError: the project is incomplete, or the pipeline fails.
    """
    create_workspace(project, folder, settings)
    dvc(folder, "repro", "prepare")
    sweep_settings = section(load_params(folder / "params.yaml"), "sweep", SweepSettings)
    sweep(folder.resolve(), sweep_settings, command, retry_failed=True)
    dvc(folder, "repro")
    return f"The report is in {(folder / 'reports' / 'index.html').resolve()}"


def create_workspace(project: Path, folder: Path, settings: Mapping[str, Any]) -> None:
    """Create or update a workspace: the project's pipeline with some settings of params.yaml replaced.

    Args:
        project: the checkout with params.yaml, dvc.yaml and bench/.
        folder: the workspace; earlier outputs in it are kept and reused where still valid.
        settings: nested; replace these keys.

    Raises:
        UserError: the project is incomplete, a key does not exist in params.yaml, or the folder is itself a project.
    """
    code = folder / "bench"
    if (folder / "params.yaml").exists() and not code.is_symlink():
        raise UserError(f"{folder} is a project, whose settings would be lost: choose another folder, such as `demo`.")
    params = load_params(project / "params.yaml")
    _replace(params, settings, "")
    folder.mkdir(parents=True, exist_ok=True)
    for name in PIPELINE:
        if not (folder / name).exists():
            files.write_text(folder / name, (project / name).read_text(encoding="utf-8"))
    files.write_text(folder / "dvc.yaml", (project / "dvc.yaml").read_text(encoding="utf-8"))
    files.write_text(folder / "params.yaml", yaml.safe_dump(params, sort_keys=False))
    if not code.exists():
        code.unlink(missing_ok=True)  # broken link to an earlier place of the project
        code.symlink_to((project / "bench").resolve(), target_is_directory=True)
    if not (folder / ".dvc").exists():
        dvc(folder, "init", "--no-scm", "--quiet")
        dvc(folder, "config", "core.analytics", "false")
        dvc(folder, "config", "cache.type", "reflink,hardlink,copy")


def dvc(folder: Path, *arguments: str) -> None:
    """Run DVC in a workspace.

    Raises:
        UserError: DVC fails; its output explains why.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # where `bench` is
    if subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, check=False).returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed in {folder}; see the lines above for the reason.")


def _replace(params: dict[str, Any], settings: Mapping[str, Any], path: str) -> None:
    """Replace nested values in place."""
    for key, value in settings.items():
        if key not in params:
            raise UserError(f"params.yaml has no key {path + key!r}: remove it from the settings of the workspace.")
        if isinstance(value, Mapping) and isinstance(params[key], dict):
            _replace(params[key], value, f"{path}{key}.")
        else:
            params[key] = value
