"""Loading of pretrained encoders, for real: from a server on this machine that answers as the hub does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bench.errors import UserError
from bench.models.weights import fetch_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run loading_script.py, and return the folder with what it leaves."""
    folder = tmp_path_factory.mktemp("hub")
    command = [sys.executable, str(ROOT / "tests" / "models" / "loading_script.py"), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Any:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("network", ["unet", "context_cracknet", "unet_offline"])
def test_the_network_has_the_served_weights(folder: Path, network: str) -> None:
    served, loaded = load_file(folder / "served.safetensors"), load_file(folder / f"{network}.safetensors")
    assert set(loaded) == {name for name in served if not name.startswith("fc.")}
    assert all(torch.equal(tensor, served[name]) for name, tensor in loaded.items())


def test_files_are_downloaded_once_and_are_no_pickles(report: Any) -> None:
    downloads = [path for method, path in report["requests"] if method == "GET" and "/resolve/" in path]
    assert [Path(path).name for path in downloads] == ["config.json", "model.safetensors"]


def test_without_network_the_error_comes_soon_and_gives_hints(folder: Path, report: Any) -> None:
    assert report["cause"] == "ConnectError"
    assert report["seconds"] < 30
    assert not (folder / "never.safetensors").exists()
    for part in (
        "'imagenet' weights of encoder 'resnet34'",
        "smp-hub/resnet34.imagenet",
        report["address"],
        str(folder / "hub"),
        "train.weights: null",
        "models--smp-hub--resnet34.imagenet",
        "hf download smp-hub/resnet34.imagenet config.json model.safetensors --revision",
    ):
        assert part in report["message"]


def test_unknown_weights_list_the_valid_ones() -> None:
    with pytest.raises(UserError, match=r"no weights 'coco'; valid names in train\.weights: imagenet, ssl, swsl, or"):
        fetch_weights("resnet18", "coco")
    with pytest.raises(UserError, match=r"'tu-convnext_tiny' has no weights pinned.*train\.weights: null"):
        fetch_weights("tu-convnext_tiny", "imagenet")
