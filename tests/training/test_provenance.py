"""Provenance: the hardware, the versions and the code that a result is recorded with."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import bench
from bench import plugins
from bench.training import provenance


def test_the_hardware_has_a_name_and_numbers() -> None:
    facts = provenance.describe_hardware(torch.device("cpu"))
    assert facts["processor"].strip()
    assert facts["cores"] >= 1
    assert facts["threads"] == torch.get_num_threads()
    assert provenance.device_name(torch.device("cpu")) == facts["processor"]


def test_versions_are_those_installed() -> None:
    found = provenance.versions()
    assert set(found) == {"python", *provenance.LIBRARIES}
    assert torch.__version__.startswith(found["torch"].partition("+")[0])


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_and_whether_the_code_was_changed_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bench"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(provenance, "bench", SimpleNamespace(__file__=str(package / "__init__.py")))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() == {"commit": None, "dirty": None}
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("not code")
    assert provenance.commit() == {"commit": head, "dirty": False}
    (package / "__init__.py").write_text("x = 1")
    assert provenance.commit() == {"commit": head, "dirty": True}


HASHED = ["training/loss.py", "models/smp.py", "models/unet.py", "stages/train.py", "training/loop.py"]
HASHED += ["training/state.py", "training/loader.py", "training/saver.py"]
HASHED += ["training/settings.py", "training/augment.py", "training/augment_device.py", "training/order.py"]
HASHED += ["training/precision.py", "training/predict.py", "models/weights.py", "models/packaged.py"]
HASHED += ["models/_context_cracknet.py"]
NOT_HASHED = ["models/pan.py", "stages/report.py", "render/text.py", "data/sources.py", "data/split.py"]


def test_the_program_is_the_code_that_decides_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bench"
    for name in HASHED + NOT_HASHED:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    monkeypatch.setattr(provenance, "bench", SimpleNamespace(__file__=str(package / "__init__.py")))
    models = package / "models"
    monkeypatch.setattr(plugins, "load", lambda kind, name: SimpleNamespace(__file__=str(models / f"{name}.py")))
    first = provenance.program("unet")
    assert len(first) == 12
    assert provenance.program("pan") != first
    for name in HASHED + NOT_HASHED:
        (package / name).write_text("changed")
        assert (provenance.program("unet") != first) is (name in HASHED), name
        (package / name).write_text(name)
    assert provenance.program("unet") == first


def test_the_real_package_has_a_program() -> None:
    assert Path(bench.__file__).parent.name == "bench"
    assert provenance.program("unet") != provenance.program("unetplusplus")
