"""Switching the protocol changes its settings, and nothing else in params.yaml."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.data.pinned import pinned_datasets
from bench.errors import UserError
from bench.settings import load_params, section
from bench.stages.download import DownloadSettings
from bench.stages.prepare import PrepareSettings
from bench.tools import switch_protocol
from bench.training.settings import TrainSettings

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
    assert sum(a != b for a, b in zip(strict, paper, strict=True)) == 6
    settings = yaml.safe_load(path.read_text())
    assert settings["prepare"]["mask_threshold"] == 127
    assert settings["train"]["select_on"] == "validation"
    assert settings["report"]["headline"] == "pooled"
    switch_protocol.switch_protocol(path, "paper")
    assert path.read_bytes() == PARAMS.read_bytes()


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("prepare: {mask_threshold: 0}\n")
    with pytest.raises(UserError, match=r"no setting datasets: restore it from git"):
        switch_protocol.switch_protocol(path, "strict")
    assert path.read_text() == "prepare: {mask_threshold: 0}\n"
    path.write_text(PARAMS.read_text().replace("  split: random", "  splitt: random"))
    with pytest.raises(UserError, match=r"no setting prepare\.split"):
        switch_protocol.switch_protocol(path, "strict")


def test_a_mapping_on_one_line_is_changed_too(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    content = yaml.safe_load(PARAMS.read_text())
    dumped = [yaml.safe_dump({key: value}, default_flow_style=True, width=9999) for key, value in content.items()]
    lines = [f"{text.strip()[1:-1]}\n" for text in dumped]
    path.write_text("".join(lines))
    switch_protocol.switch_protocol(path, "strict")
    settings = yaml.safe_load(path.read_text())
    assert settings == expected(content, "strict")


def expected(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the content of params.yaml with the settings of a protocol."""
    for setting, values in switch_protocol.TABLE.items():
        section, _, key = setting.rpartition(".")
        if (value := values[switch_protocol.NAMES.index(name)]) is not None:
            (content[section] if section else content)[key] = yaml.safe_load(value)
    return content


def test_the_open_track_and_back_leaves_every_byte_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(PARAMS.read_bytes())
    message = switch_protocol.switch_protocol(path, "open")
    assert "download.source: collection -> pinned" in message
    assert yaml.safe_load(path.read_text()) == expected(yaml.safe_load(PARAMS.read_text()), "open")
    assert sorted(yaml.safe_load(path.read_text())["datasets"]) == pinned_datasets()
    assert "nothing to change" in switch_protocol.switch_protocol(path, "open")
    switch_protocol.switch_protocol(path, "strict")
    assert yaml.safe_load(path.read_text()) == expected(yaml.safe_load(PARAMS.read_text()), "strict")
    switch_protocol.switch_protocol(path, "paper")
    assert path.read_bytes() == PARAMS.read_bytes()


def test_the_open_settings_are_valid(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(PARAMS.read_bytes())
    switch_protocol.switch_protocol(path, "open")
    params = load_params(path)
    assert section(params, "download", DownloadSettings).source == "pinned"
    assert section(params, "prepare", PrepareSettings).geometry == "tiles"
    assert section(params, "train", TrainSettings).encoder == "efficientnet_lite0"


def test_the_table_states_the_committed_settings_as_those_of_the_paper() -> None:
    params = load_params(PARAMS)
    assert expected(load_params(PARAMS), "paper") == params


def test_what_a_user_chose_beside_the_protocol_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = PARAMS.read_text().replace("seeds: [0]", "seeds: [0, 1, 2]").replace("epochs: 1000", "epochs: 7")
    path.write_text(text)  # three seeds as in the open track, but not the open track
    switch_protocol.switch_protocol(path, "strict")
    settings = yaml.safe_load(path.read_text())
    assert (settings["seeds"], settings["train"]["epochs"]) == ([0, 1, 2], 7)
    switch_protocol.switch_protocol(path, "open")
    path.write_text(path.read_text().replace("epochs: 16", "epochs: 30"))
    switch_protocol.switch_protocol(path, "paper")
    settings = yaml.safe_load(path.read_text())
    assert (settings["seeds"], settings["train"]["epochs"], settings["train"]["batch"]) == ([0], 30, 32)


def test_lists_over_several_lines_are_changed_too(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.read_text().replace("seeds: [0]\n", "seeds:\n  - 0  # the first\n  - 7\n"))
    switch_protocol.switch_protocol(path, "open")
    assert yaml.safe_load(path.read_text()) == expected(yaml.safe_load(PARAMS.read_text()), "open")


def test_what_cannot_be_changed_safely_is_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = PARAMS.read_text().replace("test_share: 0.2", "test_share: &share 0.2")
    path.write_text(text.replace("validation_share: 0.0 ", "validation_share: *share "))  # would change both
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"Edit it by hand and set prepare: .*'split': 'grouped'"):
        switch_protocol.switch_protocol(path, "strict")
    assert path.read_bytes() == before


def test_windows_line_ends_are_kept(tmp_path: Path) -> None:
    path, text = tmp_path / "params.yaml", PARAMS.read_text()
    path.write_bytes(text.replace("\n", "\r\n").encode())
    switch_protocol.switch_protocol(path, "strict")
    assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n") == text.count("\n")
    switch_protocol.switch_protocol(path, "paper")
    assert path.read_bytes() == text.replace("\n", "\r\n").encode()
