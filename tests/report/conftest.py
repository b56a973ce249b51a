"""A small synthetic grid, and the report made from it once."""

import runpy
from pathlib import Path

import pytest
import yaml

from bench.report.settings import ReportSettings
from bench.stages import report

WRITE = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))["write"]
DATASETS, MODELS = ["cfd", "deepcrack", "gaps"], ["unet", "unetplusplus", "context_cracknet"]


@pytest.fixture(scope="session")
def write_grid():
    """Return a function that writes a synthetic grid and returns its folder."""

    def write(folder, **options):
        return WRITE(folder, **{"datasets": DATASETS, "models": MODELS, "tests": 6, "epochs": 5} | options)

    return write


@pytest.fixture(scope="session")
def run_report():
    """Return a function that renders the report of a folder and returns what it printed."""

    def run(folder, target="reports", only=()):
        params = yaml.safe_load((folder / "params.yaml").read_text())
        lists = params["datasets"], params["models"], params["seeds"]
        where = folder / "prepared", folder / "runs"
        return report.run(
            folder / "results", folder / target, *lists, ReportSettings("batch_mean"), *where, only
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def grid(tmp_path_factory, write_grid, run_report):
    """Return the folder of a complete grid with its report."""
    folder = write_grid(tmp_path_factory.mktemp("grid"))
    run_report(folder)
    return folder
