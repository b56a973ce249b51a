"""Settings of a sweep."""

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.settings import load_params
from bench.sweep.sweep import with_options

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")


def test_the_command_line_replaces_settings_at_both_levels() -> None:
    settings = with_options(PARAMS, {"jobs": 3, "gres": "gpu:2", "partition": None})
    assert (settings.jobs, settings.slurm.gres) == (3, "gpu:2")
    assert settings.slurm.partition == PARAMS["sweep"]["slurm"]["partition"]
    assert settings.per_gpu == PARAMS["sweep"]["per_gpu"]


@pytest.mark.parametrize(
    ("key", "value"), [("jobs", 0), ("per_gpu", 0), ("timeout_minutes", 0.0), ("cpus", 0), ("cells_per_job", 0)]
)
def test_a_value_out_of_range_is_refused_by_key(key: str, value: float) -> None:
    with pytest.raises(UserError, match=key):
        with_options(PARAMS, {key: value})
