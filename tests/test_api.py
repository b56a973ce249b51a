"""The functions of ``import crackbench``: loaded on use, and the same as those of the command line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

import bench
import crackbench
from bench.errors import UserError
from bench.formats import files
from bench.tools.load_network import load
from tests.tools.test_predict import expected_prob, write_export

IMAGE = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)


def test_importing_loads_no_other_library() -> None:
    code = "import sys, crackbench, bench; print(sorted({'numpy', 'pandas', 'torch', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_both_names_offer_the_same() -> None:
    assert crackbench.__all__ == bench.__all__
    for name in crackbench.__all__:
        assert getattr(crackbench, name) is getattr(bench, name)
        assert getattr(bench, name).__doc__
    assert {*crackbench.__all__, "__version__"} <= set(dir(crackbench)) & set(dir(bench))
    assert crackbench.__version__ == bench.__version__
    for module in (bench, crackbench):
        with pytest.raises(AttributeError, match="has no attribute 'leaderbord'"):
            module.leaderbord  # noqa: B018


def test_an_architecture_is_a_new_network_in_eval_mode() -> None:
    network = crackbench.load_model("unet", encoder="resnet18", image_size=64, classes=3)
    assert isinstance(network, nn.Module)
    assert not network.training
    assert network.image_size == 64
    assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 3, 64, 64)


@pytest.fixture
def run(tmp_path: Path, run_record: Callable[..., Any], history: Any, tiny_model: str) -> Path:
    """Return the folder of a run of a tiny network."""
    from safetensors.torch import save_file

    from bench import plugins
    from bench.formats import run as run_format

    folder = tmp_path / "run"
    folder.mkdir()
    torch.manual_seed(0)
    network = plugins.build_network(tiny_model, 3, 1, 32, "resnet18", None)
    save_file(network.state_dict(), folder / "weights.safetensors")
    settings = {"prepare": {"image_size": 32}, "train": {"encoder": "resnet18"}}
    run_format.write(folder, run_record(model=tiny_model, settings=settings), history)
    return folder


def test_a_run_predicts_the_same_from_python_and_from_the_command_line(run: Path) -> None:
    network = crackbench.load_model(run)
    assert network.image_size == 32
    prob = crackbench.predict(network, IMAGE)
    assert prob.shape == (50, 70)
    assert prob.dtype == np.float32
    assert (prob == crackbench.predict(run, IMAGE)).all()
    predictor, _ = load(run, device="cpu")
    assert np.allclose(crackbench.predict(network, IMAGE[:32, :32]), predictor(IMAGE[:32, :32]), atol=1e-6)


def test_an_image_is_read_from_its_file(run: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "image.png"), IMAGE[..., ::-1])
    network = crackbench.load_model(str(run))
    assert (crackbench.predict(network, tmp_path / "image.png") == crackbench.predict(network, IMAGE)).all()


def test_white_is_stated_for_an_image_of_16_bits(tmp_path: Path) -> None:
    deep, path = IMAGE[..., 0].astype(np.uint16) * 16, tmp_path / "deep.png"
    cv2.imwrite(str(path), deep)
    network = Dark(nn.Identity()).eval()
    with pytest.raises(UserError, match=r"deep\.png has 16 bits, .* white=4095 or white=65535"):
        crackbench.predict(network, path)
    grey = np.repeat((deep / 4095 * 255).round().astype(np.uint8)[..., None], 3, axis=2)
    assert np.allclose(crackbench.predict(network, path, white=4095), crackbench.predict(network, grey), atol=0.02)


@pytest.mark.filterwarnings("ignore")  # torch.export warns of what its own release deprecated
def test_a_file_predicts(tmp_path: Path) -> None:
    write_export(tmp_path / "dark.pt2")
    assert np.allclose(crackbench.predict(tmp_path / "dark.pt2", IMAGE), expected_prob(IMAGE), atol=1e-5)


class Dark(nn.Module):
    """A network of one's own: dark pixels are crack."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(-4 * image[:, :1])
        return result


def test_the_output_of_a_network_of_ones_own_is_probed_or_stated() -> None:
    assert np.allclose(crackbench.predict(Dark(nn.Identity()).eval(), IMAGE), expected_prob(IMAGE), atol=1e-5)
    with pytest.raises(UserError, match="Dark returns values from 0"):
        crackbench.predict(Dark(nn.Sigmoid()).eval(), IMAGE)
    prob = crackbench.predict(Dark(nn.Sigmoid()).eval(), IMAGE, output="probabilities")
    assert np.allclose(prob, expected_prob(IMAGE), atol=1e-5)


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(UserError, match="Dark is in training mode"):
        crackbench.predict(Dark(nn.Dropout(0.5)), IMAGE)


@pytest.mark.parametrize("image", [IMAGE / 255, IMAGE[..., 0], IMAGE.transpose(2, 0, 1), IMAGE[:0]])
def test_what_is_no_rgb_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"give RGB as uint8 \(H, W, 3\)"):
        crackbench.predict(Dark(nn.Identity()).eval(), image)


def test_an_unknown_model_and_an_ambiguous_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="did you mean 'unet'"):
        crackbench.load_model("unett")
    files.write_json(tmp_path / "unet" / "run.json", {})
    with pytest.raises(UserError, match="unet is a run here and an architecture"):
        crackbench.load_model("unet")
    with pytest.raises(UserError, match=r"unet.run\.json"):
        crackbench.load_model("./unet")
    with pytest.raises(UserError, match="overlap is 1"):
        crackbench.predict(Dark(nn.Identity()).eval(), IMAGE, overlap=1)
