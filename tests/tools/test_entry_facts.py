"""What an entry records: the checksum of what was entered changes with any of its files."""

from pathlib import Path

import torch

from bench.tools.entry_facts import entry_facts, source_sha256


def test_a_folder_is_known_by_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "maps" / "cfd").mkdir(parents=True)
    (tmp_path / "maps" / "cfd" / "a.png").write_bytes(b"1")
    first = source_sha256(tmp_path / "maps")
    assert first == source_sha256(tmp_path / "maps")
    (tmp_path / "maps" / "cfd" / "a.png").rename(tmp_path / "maps" / "cfd" / "b.png")
    second = source_sha256(tmp_path / "maps")
    (tmp_path / "maps" / "cfd" / "b.png").write_bytes(b"2")
    assert len({first, second, source_sha256(tmp_path / "maps")}) == 3


def test_the_facts_name_settings_libraries_and_hardware(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("a: 1\n")
    (tmp_path / "net.onnx").write_bytes(b"net")
    facts = entry_facts("net", "external", [1, 0], tmp_path / "params.yaml", tmp_path / "net.onnx")
    assert facts["seeds"] == [0, 1]
    assert facts["source_sha256"] == source_sha256(tmp_path / "net.onnx")
    assert torch.__version__.startswith(facts["versions"]["torch"])
    assert facts["hardware"]["processor"]
    assert entry_facts("net", "entered", [0], tmp_path / "params.yaml", None)["source_sha256"] is None
