"""`bench doctor`: what it finds on a machine, and the hint for what is missing."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.tools import doctor
from bench.training import provenance

Make = Callable[..., Any]


def test_each_missing_thing_has_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "torch" else "1.0")
    rows = {what: (found, cure) for what, found, cure in doctor.environment(tmp_path)}
    assert rows["torch"] == ("", "pip install '.[train]'")
    assert rows["dvc"] == ("1.0", "")
    assert rows["network"][0] == "no huggingface.co"
    assert "dvc init" in rows["DVC repository"][1]
    assert all(rows[what][1] for what in ("GPU", "network", "Slurm", "C++ compiler"))


def test_what_is_present_needs_no_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        real = socket.create_connection
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: real(server.getsockname()))
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
        (tmp_path / ".dvc").mkdir()
        rows = {what: (found, cure) for what, found, cure in doctor.environment(tmp_path)}
    assert rows["network"] == ("huggingface.co", "")
    assert rows["Slurm"] == ("/usr/bin/sbatch", "")
    assert rows["DVC repository"] == ("yes", "")
    assert rows["torch"][1] == ""


@pytest.mark.parametrize(("kind", "is_tried"), [("cuda", True), ("mps", False), ("xpu", False)])
def test_a_gpu_that_nobody_tried_is_called_experimental(
    kind: str, is_tried: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: torch.device(kind))
    monkeypatch.setattr(provenance, "device_name", lambda device: "A card")
    rows = {what: (found, hint) for what, found, hint in doctor.environment(tmp_path)}
    hint = "" if is_tried else f"experimental, not tried: auto leaves it idle; name it, train.device: {kind}"
    assert rows["GPU"] == (f"A card ({kind})", hint)
