"""Evaluate: counts against comparing pixel by pixel; runs that are missing, foreign or damaged are named."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files, predictions, prepared, scores
from bench.metrics import f1
from bench.stages.evaluate import EvaluateSettings, run

ROOT = Path(__file__).parents[2]
SETTINGS = EvaluateSettings(batch=2)

Make = Callable[..., Any]


@pytest.fixture
def data(make_prepared: Make) -> Path:
    """Return a prepared dataset with 5 test items, the last one without crack."""
    folder: Path = make_prepared((2, 0, 5), size=32)
    masks = np.load(folder / "masks.npy")
    masks[-1] = 0
    np.save(folder / "masks.npy", masks)
    files.write_checksums(folder)
    return folder


@pytest.fixture
def runs(data: Path, make_run: Make, tmp_path: Path) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """Return the predictions by cell and item."""
    return {
        (model, seed): make_run(data, tmp_path / "runs" / model / str(seed), seed, model=model)
        for model in ("unet", "pan")
        for seed in (0, 1)
    }


def evaluate(
    tmp_path: Path, models: tuple[str, ...] = ("unet", "pan"), seeds: tuple[int, ...] = (0, 1)
) -> scores.Scores:
    run(tmp_path / "prepared", tmp_path / "runs", tmp_path / "scores", "cfd", models, seeds, SETTINGS)
    return scores.read(tmp_path / "scores")


def refusal(tmp_path: Path, dataset: str = "cfd", models: tuple[str, ...] = ("unet",)) -> str:
    with pytest.raises(UserError) as caught:
        run(tmp_path / "prepared", tmp_path / "runs", tmp_path / "scores", dataset, models, [0], SETTINGS)
    assert not (tmp_path / "scores").exists()
    return str(caught.value)


def near(a: np.ndarray, b: np.ndarray, tolerance: int) -> int:
    """Return how many pixels of ``a`` have one of ``b`` within a distance, trying all pairs."""
    ours, theirs = np.argwhere(a), np.argwhere(b)
    if not len(ours) or not len(theirs):
        return 0
    squares = ((ours[:, None] - theirs[None]) ** 2).sum(2)
    return int((squares.min(1) <= tolerance**2).sum())


def test_counts_are_those_of_comparing_pixel_by_pixel(tmp_path: Path, data: Path, runs: Make) -> None:
    found = evaluate(tmp_path).images.set_index(["model", "seed", "item"])
    masks = prepared.read(data)
    assert len(found) == 4 * 5
    for (model, seed), levels_of in runs.items():  # type: ignore[attr-defined]
        for row in masks.split("test"):
            item = masks.items["item"][row]
            got, true = found.loc[(model, seed, item)], masks.masks[row] > 0
            pred = levels_of[item] >= 128
            expected = [(pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum(), (~pred & ~true).sum()]
            assert got[scores.COUNTS].tolist() == expected
            for tolerance in (2, 5):
                assert got[f"pred_hit_{tolerance}px"] == near(pred, true, tolerance)
                assert got[f"true_hit_{tolerance}px"] == near(true, pred, tolerance)
            assert got["photo"] == masks.items["photo"][row]


def test_best_f1_is_the_highest_of_all_thresholds(tmp_path: Path, data: Path, runs: Make) -> None:
    found = evaluate(tmp_path).images.set_index(["model", "seed", "item"])
    masks = prepared.read(data)
    for row in masks.split("test")[:-1]:
        item, true = masks.items["item"][row], masks.masks[row] > 0
        levels = runs["unet", 0][item]  # type: ignore[index]
        all_f1 = []
        for threshold in range(1, 256):
            pred = levels >= threshold
            all_f1.append(float(f1.compute((pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum(), 0)))
        assert found.loc[("unet", 0, item), "best_f1"] == pytest.approx(max(all_f1))
        assert found.loc[("unet", 0, item), "best_threshold"] == 1 + int(np.argmax(all_f1))


def test_an_image_without_crack_has_no_best_threshold(tmp_path: Path, data: Path, runs: Make) -> None:
    rows = evaluate(tmp_path).images.groupby("item")[["best_f1", "best_threshold", "tp", "fn"]].max()
    empty = prepared.read(data).items["item"].iloc[-1]
    assert rows.loc[empty].isna().tolist() == [True, True, False, False]
    assert rows.drop(empty).notna().to_numpy().all()
    assert rows.loc[empty, ["tp", "fn"]].tolist() == [0, 0]


def test_curves_are_the_pooled_counts_at_each_threshold(tmp_path: Path, data: Path, runs: Make) -> None:
    result = evaluate(tmp_path)
    masks = prepared.read(data)
    for (model, seed), levels_of in runs.items():  # type: ignore[attr-defined]
        curve = result.curves[(result.curves["model"] == model) & (result.curves["seed"] == seed)]
        assert curve["threshold"].tolist() == list(range(256))
        true = np.stack([masks.masks[row] for row in masks.split("test")]) > 0
        levels = np.stack([levels_of[masks.items["item"][row]] for row in masks.split("test")])
        for threshold in (0, 1, 127, 128, 255):
            pred = levels >= threshold
            expected = [(pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum()]
            assert curve[curve["threshold"] == threshold][["tp", "fp", "fn"]].iloc[0].tolist() == expected
        half = result.images[(result.images["model"] == model) & (result.images["seed"] == seed)]
        assert (
            curve[curve["threshold"] == 128][["tp", "fp", "fn"]].iloc[0].tolist()
            == half[["tp", "fp", "fn"]].sum().tolist()
        )


def test_batches_follow_the_order_of_names(tmp_path: Path, data: Path, runs: Make) -> None:
    images = evaluate(tmp_path).images
    for _, part in images.groupby(["model", "seed"]):
        assert part.sort_values("item")["batch"].tolist() == [0, 0, 1, 1, 2]


def test_what_was_run_comes_along(tmp_path: Path, data: Path, runs: Make) -> None:
    result = evaluate(tmp_path)
    assert {(cell["model"], cell["seed"]) for cell in result.cells} == set(runs)  # type: ignore[call-overload]
    assert {cell["evaluation_batch"] for cell in result.cells} == {2}
    assert result.card == prepared.read(data).card
    assert len(result.history) == 4 * 2
    assert result.missing == []


def test_a_cell_that_was_not_run_is_named(
    tmp_path: Path, data: Path, runs: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs" / "pan" / "1" / "run.json").unlink()  # killed before its last file
    result = evaluate(tmp_path, models=("unet", "fpn", "pan"), seeds=(0, 1))
    assert result.missing == [
        {"dataset": "cfd", "model": m, "seed": s} for m, s in [("fpn", 0), ("fpn", 1), ("pan", 1)]
    ]
    assert set(result.images["model"]) == {"unet", "pan"}
    message = capsys.readouterr().err
    assert f"{tmp_path / 'runs' / 'fpn' / '0'} holds no finished run: cfd/fpn/0 will be missing" in message


def test_models_that_were_dropped_are_left_out(tmp_path: Path, data: Path, runs: Make) -> None:
    result = evaluate(tmp_path, models=("unet",), seeds=(1,))
    assert set(zip(result.images["model"], result.images["seed"], strict=True)) == {("unet", 1)}


def test_no_run_at_all_is_refused(tmp_path: Path, data: Path) -> None:
    assert f"{tmp_path / 'runs'} holds no finished run of unet: train first" in refusal(tmp_path)


def test_two_evaluations_give_the_same_bytes(tmp_path: Path, data: Path, runs: Make) -> None:
    contents = []
    for _ in range(2):
        evaluate(tmp_path)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / "scores").iterdir()})
    assert contents[0] == contents[1]
    files = {"SHA256SUMS", "cells.json", "histograms.npz", *(f"{name}.csv" for name in scores.TABLES)}
    assert contents[0].keys() == files


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("data", "other", "content"), ("dataset", "volker", "cfd"), ("model", "pan", "unet"), ("seed", 3, "0")],
)
def test_a_run_of_other_data_or_another_cell_is_refused(
    tmp_path: Path, data: Path, runs: Make, key: str, value: object, expected: str
) -> None:
    path = tmp_path / "runs" / "unet" / "0" / "run.json"
    files.write_json(path, files.read_json(path) | {key: value})
    files.write_checksums(path.parent)
    message = refusal(tmp_path)
    assert f"{path}: {key} is {value!r}, expected " in message
    assert "train it again" in message
    assert expected in message or prepared.read(data).card["content"] in message


def test_data_of_another_dataset_are_refused(tmp_path: Path, data: Path, runs: Make) -> None:
    assert f"{data} holds the dataset 'cfd', not 'volker'" in refusal(tmp_path, dataset="volker")


def test_a_missing_prediction_is_named(tmp_path: Path, data: Path, runs: Make) -> None:
    path = tmp_path / "runs" / "unet" / "0" / "probabilities" / "CFD_004.png"
    path.unlink()
    assert f"{path} is missing: every test item needs one prediction" in refusal(tmp_path)


def test_a_prediction_of_another_size_is_named(tmp_path: Path, data: Path, runs: Make) -> None:
    folder = tmp_path / "runs" / "unet" / "0" / "probabilities"
    predictions.write_one(folder, "CFD_004", np.zeros((16, 32), np.uint8))
    assert f"{folder / 'CFD_004.png'} is 32x16 px, expected 32x32" in refusal(tmp_path)


def test_a_damaged_record_is_named(tmp_path: Path, data: Path, runs: Make) -> None:
    path = tmp_path / "runs" / "unet" / "0" / "run.json"
    path.write_text("{")
    assert f"{path} is damaged" in refusal(tmp_path)


def test_several_classes_count_as_crack_but_the_first(tmp_path: Path, make_prepared: Make, make_run: Make) -> None:
    source = make_prepared((2, 0, 2), size=32, classes=3)
    levels = make_run(source, tmp_path / "runs" / "unet" / "0")
    images = evaluate(tmp_path, ("unet",), (0,)).images.set_index("item")
    data = prepared.read(source)
    assert set(np.unique(data.masks)) == {0, 1, 2}
    for row in data.split("test"):
        item = data.items["item"][row]
        true, pred = data.masks[row] > 0, levels[item] >= 128
        assert images.loc[item, "tp"] == (true & pred).sum()
        assert images.loc[item, "fn"] == (true & ~pred).sum()


def test_all_stages_but_training_and_measuring_need_no_torch() -> None:
    code = (
        "import sys\n"
        "class Lacking:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name in ('torch', 'segmentation_models_pytorch'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Lacking())\n"
        "import bench.stages.evaluate, bench.stages.report, bench.stages.prepare, bench.stages.download, bench.cli\n"
        "from bench import plugins\n"
        "print(*[plugins.load('models', name).NAME for name in plugins.names('models')], sep=', ')"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert "UNet, UNetPlusPlus" in done.stdout, done.stderr


def test_the_frame_has_the_columns_of_the_format(tmp_path: Path, data: Path, runs: Make) -> None:
    evaluate(tmp_path)
    frame = pd.read_csv(tmp_path / "scores" / "images.csv")
    assert list(frame.columns) == scores.IMAGES
    counts = frame[[c for c in scores.IMAGES if "hit" in c or c in scores.COUNTS or c.startswith("skeleton")]]
    assert (counts.dtypes == np.int64).all()
    assert (counts >= 0).to_numpy().all()
    assert (frame[scores.COUNTS].sum(axis=1) == 32 * 32).all()
    assert (frame["skeleton_pred_hit"] <= frame["skeleton_pred"]).all()
    assert (frame["pred_hit_2px"] <= frame["pred_hit_5px"]).all()
    assert (frame["pred_hit_5px"] <= frame["tp"] + frame["fp"]).all()


def classes_written(tmp_path: Path, data: Path, maps: dict[str, np.ndarray]) -> Path:
    """Write a run whose maps of classes are given, over the same probabilities."""
    folder = tmp_path / "runs" / "unet" / "0"
    for item, classes in maps.items():
        predictions.write_one(folder / "classes", item, classes.astype(np.uint8))
    return folder


def test_pixels_of_each_class_are_counted_where_there_are_several(
    make_prepared: Make, make_run: Make, tmp_path: Path
) -> None:
    source = make_prepared((2, 0, 3), size=32, classes=3)
    masks = np.load(source / "masks.npy")
    masks[2, :4] = 255
    np.save(source / "masks.npy", masks)
    files.write_checksums(source)
    data, generator = prepared.read(source), np.random.default_rng(1)
    rows = {data.items["item"][row]: data.masks[row] for row in data.split("test")}
    maps = {item: generator.integers(0, 3, mask.shape) for item, mask in rows.items()}
    classes_written(tmp_path, source, maps)
    make_run(source, tmp_path / "runs" / "unet" / "0", model="unet")
    found = evaluate(tmp_path, ("unet",), (0,)).classes.set_index(["item", "class"])
    assert len(found) == 3 * 3
    for item, mask in rows.items():
        for k in range(3):
            known, got = mask != 255, found.loc[(item, k)]
            pred, true = (maps[item] == k) & known, (mask == k) & known
            expected = [(pred & true).sum(), (pred & ~true).sum(), (~pred & true).sum()]
            assert got[["tp", "fp", "fn"]].tolist() == expected
        assert got["photo"] == item
    assert found["batch"].tolist() == [0] * 6 + [1] * 3


def test_a_run_without_classes_is_named_and_scored_as_before(
    make_prepared: Make, make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_prepared((2, 0, 3), size=32, classes=3)
    make_run(source, tmp_path / "runs" / "unet" / "0", model="unet")
    found = evaluate(tmp_path, ("unet",), (0,))
    assert found.classes.empty
    assert len(found.images) == 3
    assert "unet/0 keeps no classes: train it again" in capsys.readouterr().err
    assert not (tmp_path / "scores" / "classes.csv").exists()


def test_a_class_that_the_dataset_does_not_have_is_refused(make_prepared: Make, make_run: Make, tmp_path: Path) -> None:
    source = make_prepared((2, 0, 3), size=32, classes=3)
    data = prepared.read(source)
    maps = {data.items["item"][row]: np.full((32, 32), 3) for row in data.split("test")}
    classes_written(tmp_path, source, maps)
    make_run(source, tmp_path / "runs" / "unet" / "0", model="unet")
    assert "is predicted as class 3, of 3" in refusal(tmp_path)
