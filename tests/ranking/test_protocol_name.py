"""The hashes that have a name are those of the settings of that name."""

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.formats.protocol import protocol
from bench.ranking.protocol_name import NAMES
from bench.settings import load_params, section
from bench.stages.prepare import PrepareSettings
from bench.tools.switch_protocol import NAMES as SWITCHED
from bench.tools.switch_protocol import switch_protocol
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SWITCHED)
def test_a_hash_has_the_name_of_the_settings_that_have_it(name: str, tmp_path: Path) -> None:
    path = shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
    switch_protocol(path, name)
    params = load_params(path)
    card = {"settings": asdict(section(params, "prepare", PrepareSettings))}
    _, hashed = protocol(card, asdict(section(params, "train", TrainSettings)))
    assert NAMES.get(hashed) == name
    assert len(NAMES) == len(SWITCHED)
