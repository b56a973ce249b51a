"""Switching the protocol changes five settings, and nothing else in params.yaml."""

from pathlib import Path

import pytest
import yaml

from bench.errors import UserError
from bench.tools import switch_protocol

PARAMS = Path(__file__).parents[2] / "params.yaml"


def test_there_and_back_leaves_every_byte_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(PARAMS.read_bytes())
    assert "nothing to change" in switch_protocol.switch_protocol(path, "paper")
    said = switch_protocol.switch_protocol(path, "strict")
    assert "prepare.split: random -> grouped" in said
    strict = path.read_text().splitlines()
    paper = PARAMS.read_text().splitlines()
    assert len(strict) == len(paper)
    assert sum(a != b for a, b in zip(strict, paper, strict=True)) == 5
    settings = yaml.safe_load(path.read_text())
    assert settings["prepare"]["mask_threshold"] == 127
    assert settings["train"]["select_on"] == "validation"
    assert settings["report"]["headline"] == "pooled"
    switch_protocol.switch_protocol(path, "paper")
    assert path.read_bytes() == PARAMS.read_bytes()


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("prepare: {mask_threshold: 0}\n")
    with pytest.raises(UserError, match=r"no setting prepare\.split"):
        switch_protocol.switch_protocol(path, "strict")
    assert path.read_text() == "prepare: {mask_threshold: 0}\n"


def test_a_mapping_on_one_line_is_changed_too(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    content = yaml.safe_load(PARAMS.read_text())
    lines = [f"{key}: {yaml.safe_dump(value, default_flow_style=True, width=9999)}" for key, value in content.items()]
    path.write_text("".join(lines))
    switch_protocol.switch_protocol(path, "strict")
    settings = yaml.safe_load(path.read_text())
    for (section, key), value in switch_protocol.PROTOCOLS["strict"].items():
        content[section][key] = value
    assert settings == content


def test_what_cannot_be_changed_safely_is_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.read_text().replace("split: random ", "split: !!str random "))
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"Edit it by hand and set prepare: .*'split': 'grouped'"):
        switch_protocol.switch_protocol(path, "strict")
    assert path.read_bytes() == before
