"""Prediction with the networks people bring, on the items of a dataset and on photographs of any size."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cli import main
from bench.predict import MEAN, STD, tiled


def write_onnx(path, side="side"):
    """Write a network that calls dark pixels crack: logits are -4 times the normalised red channel."""
    import onnx
    from onnx import TensorProto, helper

    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [1, 3, 1, 1], [-4.0, 0, 0])
    node = helper.make_node("Conv", ["image", "kernel"], ["logits"])
    ports = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, side, side])
        for n, c in (("image", 3), ("logits", 1))
    ]
    graph = helper.make_graph([node], "dark", ports[:1], ports[1:], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def write_export(path):
    import torch

    class Dark(torch.nn.Module):
        def forward(self, image):
            return -4 * image[:, :1]

    size = {2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    torch.export.save(torch.export.export(Dark(), (torch.zeros(1, 3, 32, 40),), dynamic_shapes=(size,)), path)


def run(*arguments, fails=False):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def expected_prob(image):
    red = (image[..., 0].astype(np.float32) / 255 - MEAN[0]) / STD[0]
    return 1 / (1 + np.exp(4 * red))


@pytest.fixture(params=["onnx", "pt2"])
def network(request, tmp_path):
    path = tmp_path / f"dark.{request.param}"
    (write_onnx if request.param == "onnx" else write_export)(path)
    return path


@pytest.mark.filterwarnings("ignore")  # torch.export warns of what its own release deprecated
def test_photographs_of_any_size_come_out_at_their_size(network, tmp_path):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    sizes = {"wide": (50, 170), "small": (20, 21), "tile": (64, 64)}
    for name, size in sizes.items():
        cv2.imwrite(str(tmp_path / "in" / f"{name}.png"), rng.integers(0, 256, (*size, 3)).astype(np.uint8))
    run("predict", network, "--images", tmp_path / "in", "--out", tmp_path / "out", "--tile", 64)
    for name, size in sizes.items():
        image = cv2.imread(str(tmp_path / "in" / f"{name}.png"))[..., ::-1]
        levels = cv2.imread(str(tmp_path / "out" / "probabilities" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(tmp_path / "out" / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        overlay = cv2.imread(str(tmp_path / "out" / "overlays" / f"{name}.png"))[..., ::-1]
        assert levels.shape == mask.shape == size
        assert np.abs(levels / 256 - expected_prob(image)).max() < 1.1 / 256
        assert (mask == np.where(levels >= 128, 255, 0)).all()
        assert (overlay[mask == 0] == image[mask == 0]).all()
        assert (overlay[mask > 0][:, 0] >= 152).all()  # 0.6 of full red at least


@pytest.mark.filterwarnings("ignore")
def test_predict_score_compare_with_a_file_from_elsewhere(network, workspace, monkeypatch):
    folder = workspace(["cfd", "forest"], {"fpn": 0.6, "unet": 0.75})
    monkeypatch.chdir(folder)
    for dataset in ("cfd", "forest"):
        run("predict", network, "--dataset", dataset, "--out", f"predictions/{dataset}")
        run("score", f"predictions/{dataset}", "--dataset", dataset, "--model", "dark")
    assert "Verdict: dark is behind UNET" in run("compare", "dark", "--resamples", 200)


def test_a_file_for_another_size_is_refused(workspace, tmp_path, monkeypatch):
    folder = workspace(["cfd"], {"unet": 0.75})
    monkeypatch.chdir(folder)
    write_onnx(tmp_path / "fixed.onnx", side=64)
    assert "takes 64 px" in run("predict", tmp_path / "fixed.onnx", "--dataset", "cfd", fails=True)


@pytest.mark.parametrize("name", ["no.onnx", "torn.onnx", "torn.pt2", "weights.pth"])
def test_what_is_no_network_is_refused_with_the_cure(tmp_path, name):
    if not name.startswith("no."):
        (tmp_path / name).write_bytes(b"torn")
    said = run("predict", tmp_path / name, "--images", tmp_path, fails=True)
    assert name in said
    assert "Error: " in said


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(8, 40), st.floats(0, 0.9))
def test_tiles_that_agree_give_back_what_they_were_cut_from(height, width, tile, overlap):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    seen = tiled(lambda part: part[..., 0].astype(np.float32) / 255, image, tile, overlap)
    assert seen.shape == (height, width)
    assert np.abs(seen - image[..., 0] / 255).max() < 1e-5
