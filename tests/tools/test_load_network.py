"""Files of networks: what is read, what is refused, by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.tools.load_network import load
from tests.tools.test_predict import write_onnx

IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.onnx", "not found: give the folder of a run"), ("net.pth", "neither .onnx nor .pt2")],
)
def test_what_cannot_be_loaded_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "net.pth").write_bytes(b"weights")
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_damaged_files_are_refused_by_name(tmp_path: Path) -> None:
    for name in ("torn.onnx", "torn.pt2"):
        (tmp_path / name).write_bytes(b"torn")
        with pytest.raises(UserError, match=name):
            load(tmp_path / name)


def test_an_ending_in_capitals_is_read(tmp_path: Path) -> None:
    write_onnx(tmp_path / "DARK.ONNX")
    predictor, remark = load(tmp_path / "DARK.ONNX")
    assert predictor(IMAGE).shape == (32, 32)
    assert remark == ""


def export(path: Path, kind: str, train: bool = False) -> None:
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1), torch.nn.Dropout(0.5), torch.nn.Conv2d(8, 1, 1))

        def forward(self, images: Any) -> Any:
            logits = self.body(images)
            return {"dict": {"out": logits, "aux": -logits}, "tuple": (logits, -logits), "one": {"out": logits}}[kind]

    torch.manual_seed(0)
    torch.export.save(torch.export.export(Net().train(train), (torch.zeros(1, 3, 32, 32),)), path)


@pytest.mark.filterwarnings("ignore")
def test_exports_with_several_outputs_or_in_training_mode_are_explained(tmp_path: Path) -> None:
    for kind, named in (
        ("dict", "2 outputs: out .*--output-name NAME"),
        ("tuple", "2 outputs: 0 .*--output-name NAME"),
    ):
        export(tmp_path / f"{kind}.pt2", kind)
        with pytest.raises(UserError, match=named):
            load(tmp_path / f"{kind}.pt2")
    out = load(tmp_path / "dict.pt2", output="out")[0](IMAGE)
    aux = load(tmp_path / "dict.pt2", output="aux")[0](IMAGE)
    assert out + aux == pytest.approx(np.ones((32, 32)), abs=1e-5)
    export(tmp_path / "one.pt2", "one")
    assert load(tmp_path / "one.pt2")[0](IMAGE) == pytest.approx(out, abs=1e-5)
    export(tmp_path / "train.pt2", "one", train=True)
    with pytest.raises(UserError, match=r"exported in training mode"):
        load(tmp_path / "train.pt2")
