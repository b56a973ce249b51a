"""What `bench sweep` refuses before it looks at anything."""

import pytest
from click.testing import CliRunner

from bench.cli.main import main


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--engine slurm --jobs 2", "--jobs is for --engine local"),
        ("--engine slurm --per-gpu 2", "--per-gpu is for --engine local"),
        ("--gres gpu:1", "--gres is for --engine slurm"),
        ("--time 60", "--time is for --engine slurm"),
        ("--jobs 0", "Invalid value for '--jobs': 0 is not in the range x>=1"),
    ],
)
def test_options_of_the_other_engine_are_refused_by_name(options: str, words: str) -> None:
    result = CliRunner().invoke(main, ["sweep", *options.split()])
    assert result.exit_code == 2
    assert words in result.output
