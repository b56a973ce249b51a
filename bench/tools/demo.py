"""Run the whole pipeline on the embedded sample, in a workspace of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.settings import load_params, section
from bench.sweep.dvc_stage import Command
from bench.sweep.sweep import SweepSettings, sweep
from bench.tools.workspace import create_workspace, dvc

SETTINGS: dict[str, Any] = {
    "datasets": ["crack500", "eugen_miller", "volker"],
    "download": {"source": "sample", "sample": {"images": 24}},
    "prepare": {"image_size": 128, "mask_threshold": 127},
    "train": {
        "encoder": "efficientnet_lite0", "epochs": 10, "batch": 2, "lr": 3e-3, "schedule": "cosine",
        "loss": {"dice_over": "batch"}, "augment": {"affine_p": 0.0, "noise_p": 0.0, "jitter_p": 0.0},
    },
    "measure": {"encoder": "efficientnet_lite0", "image_size": 128, "warmup": 0, "repeats": 2},
    "report": {"headline": "pooled"},
}  # fmt: skip
"""Settings with which ten models learn in minutes on two cores: three synthetic datasets whose cracks are thick
enough, the packaged ImageNet weights, small batches, and of the augmentation only flips and turns, as the rest needs
more steps than the demo has."""


def run_demo(
    project: Path,
    folder: Path,
    command: Command,
    settings: Mapping[str, Any] = SETTINGS,
    last_stages: Sequence[str] = (),
) -> str:
    """Run the pipeline in a workspace, cells in parallel; return where the report is.

    Args:
        project: the folder with params.yaml and dvc.yaml.
        folder: the workspace.
        command: runs the arguments of a command line, in the process of a cell.
        settings: nested; replace these keys of params.yaml; by default those of the demo.
        last_stages: stages of dvc.yaml to run after the trainings, with those they need; by default all.

    Raises:
        UserError: the project is incomplete, or the pipeline fails.
    """
    create_workspace(project, folder, settings)
    dvc(folder, "repro", "prepare")
    sweep_settings = section(load_params(folder / "params.yaml"), "sweep", SweepSettings)
    sweep(folder.resolve(), sweep_settings, command, retry_failed=True)
    dvc(folder, "repro", *last_stages)
    return f"The report is in {(folder / 'reports' / 'index.html').resolve()}"
