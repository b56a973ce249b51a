"""Prediction with the networks people bring, on the items of a dataset and on photographs of any size."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import crackbench
from bench.cli.main import main
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD

PARAMS = Path(__file__).parents[2] / "params.yaml"


def write_onnx(path, side="side", channels=3, kind="FLOAT", stride=1, scale=-4.0):
    """Write a network that calls dark pixels crack: logits are ``scale`` times the normalised red channel."""
    import onnx
    from onnx import TensorProto, helper

    kernel = helper.make_tensor("kernel", getattr(TensorProto, kind), [1, channels, 1, 1], [scale, 0, 0][:channels])
    node = helper.make_node("Conv", ["image", "kernel"], ["logits"], strides=[stride, stride])
    ports = [
        helper.make_tensor_value_info(n, getattr(TensorProto, kind), [1, c, s, s])
        for n, c, s in (("image", channels, side), ("logits", 1, "out"))
    ]
    graph = helper.make_graph([node], "dark", ports[:1], ports[1:], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def write_export(path, side=None):
    import torch

    class Dark(torch.nn.Module):
        def forward(self, image):
            return -4 * image[:, :1]

    size = {2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    example, shapes = torch.zeros(1, 3, side or 32, side or 40), None if side else (size,)
    torch.export.save(torch.export.export(Dark(), (example,), dynamic_shapes=shapes), path)


def run(*arguments, fails=False):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def expected_prob(image):
    red = (image[..., 0].astype(np.float32) / 255 - IMAGENET_MEAN[0]) / IMAGENET_STD[0]
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
def test_predict_score_compare_with_an_external_file(network, workspace, monkeypatch):
    folder = workspace(["cfd", "forest"], {"fpn": 0.6, "unet": 0.75})
    monkeypatch.chdir(folder)
    for dataset in ("cfd", "forest"):
        run("predict", network, "--dataset", dataset, "--out", f"predictions/{dataset}")
        run("score", f"predictions/{dataset}", "--dataset", dataset, "--model", "dark")
    assert "Verdict: dark is behind UNET" in run("compare", "dark", "--resamples", 200)


@pytest.mark.filterwarnings("ignore")
def test_a_file_for_another_size_is_refused(workspace, tmp_path, monkeypatch):
    folder = workspace(["cfd"], {"unet": 0.75})
    monkeypatch.chdir(folder)
    write_onnx(tmp_path / "fixed.onnx", side=64)
    write_export(tmp_path / "fixed.pt2", side=64)
    for name in ("fixed.onnx", "fixed.pt2"):
        assert "takes 64 px" in run("predict", tmp_path / name, "--dataset", "cfd", fails=True)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"kind": "FLOAT16"}, "does not take a normalised RGB image, float32 (1, 3, 32, 32)"),
        ({"channels": 1}, "does not take a normalised RGB image, float32 (1, 3, 32, 32)"),
        ({"stride": 2}, "returns an array (1, 1, 16, 16) for an image, expected (1, C, 32, 32)"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_with_what_is_expected(workspace, tmp_path, monkeypatch, network, said):
    folder = workspace(["cfd"], {"unet": 0.75})
    monkeypatch.chdir(folder)
    write_onnx(tmp_path / "other.onnx", **network)
    found = run("predict", tmp_path / "other.onnx", "--dataset", "cfd", fails=True)
    assert "other.onnx" in found
    assert said in found


@pytest.mark.parametrize(
    ("scale", "output", "said"),
    [
        (-4.0, "probabilities", "which are no probabilities: use --output logits"),
        (float("nan"), "logits", "returns NaN or infinity: export it in float32"),
    ],
)
def test_values_that_are_no_probabilities_are_refused(workspace, tmp_path, monkeypatch, scale, output, said):
    monkeypatch.chdir(workspace(["cfd"], {"unet": 0.75}))
    write_onnx(tmp_path / "other.onnx", scale=scale)
    assert said in run("predict", tmp_path / "other.onnx", "--dataset", "cfd", "--output", output, fails=True)


def test_a_network_that_calls_everything_crack_is_noticed(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(workspace(["cfd"], {"unet": 0.75}))
    write_onnx(tmp_path / "other.onnx", scale=0.0)
    assert "--output" in run("predict", tmp_path / "other.onnx", "--dataset", "cfd", fails=True)
    said = run("predict", tmp_path / "other.onnx", "--dataset", "cfd", "--output", "logits")
    assert "100 % of the pixels are crack" in said
    assert "background as its first class" in said


def test_the_table_has_a_row_for_each_photograph(tmp_path):
    """A black line of 3 x 80 px on white: logits of a network that calls dark pixels crack."""
    write_onnx(tmp_path / "dark.onnx")
    (tmp_path / "in").mkdir()
    image = np.full((100, 120, 3), 255, np.uint8)
    cv2.imwrite(str(tmp_path / "in" / "b.png"), image)
    image[50:53, 20:100] = 0
    cv2.imwrite(str(tmp_path / "in" / "a.png"), image)
    run(
        "predict", tmp_path / "dark.onnx", "--images", tmp_path / "in", "--out", tmp_path / "out", "--tile", 64,
        "--mm-per-px", 0.5,
    )  # fmt: skip
    table = pd.read_csv(tmp_path / "out" / "cracks.csv")
    assert table["file"].tolist() == ["a.png", "b.png"]
    assert table["crack_share_pct"].tolist() == [2.0, 0.0]
    assert table["length_px"].tolist() == [pytest.approx(80, abs=3), 0]
    assert table["mean_width_px"][0] == pytest.approx(3, rel=0.04)
    assert table["length_mm"][0] == pytest.approx(table["length_px"][0] / 2, rel=1e-3)
    assert table["mean_width_mm"][0] == pytest.approx(table["mean_width_px"][0] / 2, rel=1e-3)
    run("predict", tmp_path / "dark.onnx", "--images", tmp_path / "in", "--out", tmp_path / "s", "--scale", "trained")
    assert pd.read_csv(tmp_path / "s" / "cracks.csv")["crack_share_pct"][0] == pytest.approx(2, abs=1.5)


def test_photographs_of_12_bits_are_predicted_as_those_of_8(tmp_path):
    write_onnx(tmp_path / "dark.onnx")
    grey = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint16)
    grey[0, 0] = 255
    for name, image in (("8", grey.astype(np.uint8)), ("12", grey * 16)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), image)
        (tmp_path / name / "._a.png").write_bytes(b"of macOS")
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / name / "b.webp", lossless=True)
        said = run("predict", tmp_path / "dark.onnx", "--images", tmp_path / name, "--out", tmp_path / f"out{name}")
        assert ("White is 4095" in said) == (name == "12")
    eight, twelve = (pd.read_csv(tmp_path / f"out{name}" / "cracks.csv") for name in ("8", "12"))
    assert eight["crack_share_pct"].tolist() == pytest.approx(twelve["crack_share_pct"].tolist(), abs=1)
    assert eight["file"].tolist() == ["a.png", "b.webp"]
    prob = crackbench.predict(tmp_path / "dark.onnx", tmp_path / "12" / "a.png", white=4095)
    assert np.abs(prob - expected_prob(np.repeat(grey[..., None], 3, 2))).max() < 0.05


def test_a_run_whose_model_takes_no_such_encoder_is_refused(tmp_path, monkeypatch):
    settings = {"prepare": {"image_size": 64}, "train": {"encoder": "vgg11"}}
    monkeypatch.setattr(
        "bench.tools.load_network.run.read", lambda folder: ({"model": "deeplabv3", "settings": settings}, None)
    )
    monkeypatch.setattr("bench.tools.load_network.files.verify", lambda folder, names: None)
    (tmp_path / "run").mkdir()
    said = run("predict", tmp_path / "run", "--images", tmp_path, fails=True)
    assert "model 'deeplabv3'" in said
    assert "cannot be built with vgg11 at 64 px" in said


def test_two_photographs_of_one_name_are_refused(tmp_path):
    write_onnx(tmp_path / "dark.onnx")
    (tmp_path / "in").mkdir()
    for name in ("a.png", "a.jpg"):
        cv2.imwrite(str(tmp_path / "in" / name), np.zeros((64, 64, 3), np.uint8))
    said = run("predict", tmp_path / "dark.onnx", "--images", tmp_path / "in", "--tile", 64, fails=True)
    assert "a.png and a.jpg would be written to the same file" in said


@pytest.mark.parametrize("name", ["no.onnx", "torn.onnx", "torn.pt2", "weights.pth"])
def test_what_is_no_network_is_refused_with_a_hint(tmp_path, name):
    if not name.startswith("no."):
        (tmp_path / name).write_bytes(b"torn")
    said = run("predict", tmp_path / name, "--images", tmp_path, fails=True)
    assert name in said
    assert "Error: " in said


def test_a_network_of_the_datasets_classes_is_scored_by_class(make_prepared, tmp_path, monkeypatch):
    import onnx
    from onnx import TensorProto, helper

    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [3, 3, 1, 1], [4, 0, 0, 0, 0, 0, 0, -2, 0])
    node = helper.make_node("Conv", ["image", "kernel"], ["logits"])
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, "h", "w"]) for n in ("image", "logits")]
    graph = helper.make_graph([node], "three", ports[:1], ports[1:], [kernel])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "n.onnx")
    write_onnx(tmp_path / "one.onnx")
    make_prepared((2, 0, 2), size=32, classes=3, folder="prepared/cfd")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes())
    run("predict", "n.onnx", "--dataset", "cfd", "--out", "maps")
    for path in (tmp_path / "maps").glob("*.png"):
        levels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        classes = cv2.imread(str(tmp_path / "maps" / "classes" / path.name), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(classes > 0, levels >= 128)  # one decision
        assert set(np.unique(classes)) <= {0, 1, 2}
    assert "IoU / Dice by class: background" in run("score", "maps", "--dataset", "cfd", "--model", "three")
    run("predict", "one.onnx", "--dataset", "cfd", "--out", "maps")  # of crack against background
    assert "No class was scored" in run("score", "maps", "--dataset", "cfd", "--model", "one")
