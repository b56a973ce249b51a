"""A run as an ONNX file: it predicts what the run predicts, and its card is one that the Hugging Face hub reads."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from huggingface_hub import ModelCard

from bench.errors import UserError
from bench.formats import files, predictions, prepared
from bench.stages import train
from bench.tools import export as module
from bench.tools import predict
from bench.tools.export import export

Make = Callable[..., Any]
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def run(tmp_path: Path, make_prepared: Make, train_settings: Make) -> tuple[Path, Path]:
    """Return a trained U-Net of 64 px and its prepared data."""
    source = make_prepared((4, 0, 5), size=64)
    train.run(source, tmp_path / "run", "unet", 0, train_settings(epochs=1))
    return tmp_path / "run", source


@pytest.fixture
def tiny(tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str) -> Callable[..., Any]:
    """Return a function that trains a network of two convolutions and returns run and data."""

    def make(**changes: Any) -> tuple[Path, Path]:
        source = make_prepared(**({"counts": (4, 0, 2), "size": 32} | changes))
        train.run(source, tmp_path / "run", tiny_model, 0, train_settings(epochs=1))
        return tmp_path / "run", source

    return make


def test_a_trained_network_comes_back_and_predicts_the_same_masks(run: tuple[Path, Path], tmp_path: Path) -> None:
    folder, source = run
    said = export(folder, tmp_path / "out" / "net.onnx", source)
    assert "on 4 test images of cfd" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.md", "net.onnx"]
    for name, network in (("of_run", folder), ("of_file", tmp_path / "out" / "net.onnx")):
        predict.on_dataset(predict.Network(network, device="cpu"), source, tmp_path / name)
    data = prepared.read(source)
    for item in data.items["item"].iloc[data.split("test")]:
        ours, theirs = (predictions.read_one(tmp_path / n, item, (64, 64)) for n in ("of_run", "of_file"))
        assert ((ours >= 128) == (theirs >= 128)).all()
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_the_file_takes_any_number_of_images_and_says_what_it_is(tiny: Make, tmp_path: Path) -> None:
    folder, source = tiny()
    target = tmp_path / "out" / "net.onnx"
    export(folder, target, source)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[1:] == [3, 32, 32]
    for count in (1, 3):
        (logits,) = session.run(None, {"image": np.zeros((count, 3, 32, 32), np.float32)})
        assert logits.shape == (count, 1, 32, 32)
    facts = session.get_modelmeta().custom_metadata_map
    record = files.read_json(folder / "run.json")
    assert facts["crackbench_output"] == "logits"
    assert (facts["crackbench_data"], facts["crackbench_protocol"]) == (record["data"], record["protocol"])
    onnx.checker.check_model(onnx.load(target), full_check=True)


def test_the_card_has_the_header_of_the_hub_and_the_scores_of_the_run(tiny: Make, tmp_path: Path) -> None:
    folder, source = tiny()
    export(folder, tmp_path / "out" / "net.onnx", source)
    card = ModelCard.load(tmp_path / "out" / "README.md")
    assert card.data.pipeline_tag == "image-segmentation"
    assert card.data.library_name == "onnx"
    assert {result.dataset_type for result in card.data.eval_results} == {"cfd"}
    counts = score_of(folder, source)
    expected = counts["tp"].sum() / (counts["tp"] + counts["fp"] + counts["fn"]).sum()
    values = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert values["crack_iou"] == pytest.approx(expected, abs=1e-6)
    assert "# Tiny on CFD, seed 0" in card.text


def score_of(folder: Path, source: Path) -> pd.DataFrame:
    from bench.stages.evaluate import score

    levels = {path.stem: path for path in (folder / "probabilities").glob("*.png")}
    tables, _ = score(prepared.read(source), lambda n, s: predictions.read_one(levels[n].parent, n, s), 32)
    return tables["images"]


@pytest.mark.parametrize("classes", [1, 3])
def test_the_code_in_the_card_runs_and_gives_the_probabilities_of_the_run(
    tiny: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    folder, source = tiny(classes=classes)
    export(folder, tmp_path / "out" / "net.onnx", source)
    monkeypatch.chdir(tmp_path / "out")
    code = re.search(r"```python\n(.*?)```", Path("README.md").read_text(), re.DOTALL)
    assert code is not None
    data = prepared.read(source)
    image = np.asarray(data.images[data.split("test")[:1]])
    found: dict[str, Any] = {"image": image}
    exec(re.sub(r"np\.zeros\(.*?np\.uint8\)", "image", code[1]), found)
    item = data.items["item"].iloc[data.split("test")[0]]
    levels = predictions.read_one(folder / "probabilities", item, (32, 32))
    assert np.abs(np.floor(256 * found["crack_probability"][0]).clip(0, 255) - levels).max() <= 1


def test_a_file_that_differs_from_the_run_is_not_written(
    tiny: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, source = tiny()
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(UserError, match=r"differs from the run by .*nothing was written"):
        export(folder, tmp_path / "out" / "net.onnx", source)
    assert list((tmp_path / "out").iterdir()) == []


def test_wrong_places_are_refused(tiny: Make, make_prepared: Make, tmp_path: Path) -> None:
    folder, source = tiny()
    with pytest.raises(UserError, match=r"ends in \.onnx"):
        export(folder, tmp_path / "net.pt", source)
    with pytest.raises(UserError, match="no finished run"):
        export(source, tmp_path / "net.onnx", source)
    with pytest.raises(UserError, match="is not prepared"):
        export(folder, tmp_path / "net.onnx", tmp_path / "nowhere")
    other = make_prepared((3, 0, 1), size=32, folder="other")
    with pytest.raises(UserError, match="other images"):
        export(folder, tmp_path / "net.onnx", other)
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UserError, match=r"README\.md is there already"):
        export(folder, tmp_path / "net.onnx", source)
    assert (tmp_path / "README.md").read_text() == "mine"
