"""The demo runs the whole pipeline: `tests/test_end_to_end.py` runs the same workspace; here its settings are valid."""

from pathlib import Path

from bench.settings import load_params, section
from bench.stages.prepare import PrepareSettings
from bench.sweep.sweep import SweepSettings
from bench.tools.demo import SETTINGS
from bench.tools.workspace import create_workspace
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]


def test_the_settings_of_the_demo_are_settings_of_params_yaml(tmp_path: Path) -> None:
    create_workspace(ROOT, tmp_path, SETTINGS)
    params = load_params(tmp_path / "params.yaml")
    assert section(params, "prepare", PrepareSettings).image_size == 128
    assert section(params, "train", TrainSettings).epochs == 10
    assert section(params, "sweep", SweepSettings).per_gpu == 1
