"""Scoring a folder of predictions: formats that mean the same score the same, what does not fit is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bench.errors import UserError
from bench.formats import files, prepared, scores
from bench.tools.score import score_folder

Make = Callable[..., Any]


@pytest.fixture
def data(workspace: Make) -> tuple[Path, list[str], np.ndarray]:
    """Return a prepared dataset, its test items and their masks."""
    folder = workspace(["cfd"], {"unet": 0.75}) / "prepared" / "cfd"
    read = prepared.read(folder)
    rows = read.split("test")
    return folder, read.items["item"].iloc[rows].tolist(), np.asarray(read.masks[rows]) > 0


@pytest.fixture
def score(data: tuple[Path, list[str], np.ndarray], tmp_path: Path, train_settings: Make) -> Callable[..., Any]:
    """Return a function: arrays of the test items, suffix -> the rows of images.csv."""

    def run(arrays: Any, suffix: str = ".npy", seed: int = 0, said: list[str] | None = None) -> scores.Scores:
        folder = tmp_path / f"maps{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for item, array in zip(data[1], arrays, strict=True):
            if suffix == ".npy":
                np.save(folder / f"{item}.npy", array)
            else:
                cv2.imwrite(str(folder / f"{item}.png"), array)
        sentence = score_folder(folder, data[0], tmp_path / "results", "mine", seed, train_settings(), 4)
        if said is not None:
            said.append(sentence)
        return scores.read(tmp_path / "results" / "external" / "mine" / "cfd")

    return run


def test_the_same_masks_in_any_format_score_the_same(
    data: tuple[Path, list[str], np.ndarray], score: Callable[..., Any]
) -> None:
    true = data[2]
    for arrays, suffix in (
        (true, ".npy"), (true.astype(np.uint8), ".npy"), (true.astype(np.float32), ".npy"),
        (true.astype(np.uint8), ".png"), (true * np.uint8(255), ".png"), (true * np.uint16(65535), ".png"),
    ):  # fmt: skip
        images = score(arrays, suffix).images
        assert images["tp"].sum() == true.sum()
        assert images[["fp", "fn"]].to_numpy().sum() == 0


def test_probabilities_count_from_a_half(data: tuple[Path, list[str], np.ndarray], score: Callable[..., Any]) -> None:
    true = data[2]
    assert score(np.where(true, np.float32(0.5), np.float32(0.499)), ".npy").images["tp"].sum() == true.sum()
    assert score(np.where(true, np.float32(0.499), np.float32(0.0)), ".npy").images["tp"].sum() == 0


def test_seeds_are_kept_side_by_side_and_the_same_seed_is_replaced(
    data: tuple[Path, list[str], np.ndarray], score: Callable[..., Any]
) -> None:
    score(data[2], seed=0)
    score(~data[2], seed=1)
    found = score(~data[2], seed=0)
    assert [c["seed"] for c in found.cells] == [0, 1]
    assert len(found.images) == len(found.histograms) == 2 * len(data[1])
    assert found.images["tp"].sum() == 0


@pytest.mark.parametrize("array", [np.full((32, 32), 1.5), np.full((32, 32), np.nan), np.full((32, 32), 7, np.int32)])
def test_values_that_are_no_probabilities_are_refused_by_file(
    data: tuple[Path, list[str], np.ndarray], score: Callable[..., Any], array: np.ndarray
) -> None:
    with pytest.raises(UserError, match=f"{data[1][0]}.npy"):
        score([array] * len(data[1]))


def test_missing_extra_and_wrong_sizes_are_all_named(
    data: tuple[Path, list[str], np.ndarray], tmp_path: Path, train_settings: Make
) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    np.save(folder / "other.npy", data[2][0])
    np.save(folder / f"{data[1][1]}.npy", data[2][0][:16])
    with pytest.raises(UserError) as caught:
        score_folder(folder, data[0], tmp_path / "results", "mine", 0, train_settings(), 4)
    for text in (f"{data[1][0]}.png", "other.npy", f"{data[1][1]}.npy (32x16 px)"):
        assert text in str(caught.value)


def test_predictions_of_nothing_and_of_everything_are_remarked(
    data: tuple[Path, list[str], np.ndarray], score: Callable[..., Any]
) -> None:
    said: list[str] = []
    for arrays in (0 * data[2], 0 * data[2] + 1, data[2]):
        score(arrays.astype(np.uint8), ".png", said=said)
    assert "No pixel is predicted as crack" in said[0]
    assert "Every pixel is predicted as crack" in said[1]
    assert "pixel is predicted" not in said[2]


def test_nothing_predicted_where_nothing_is_has_no_dice(
    make_prepared: Make, tmp_path: Path, train_settings: Make
) -> None:
    data = make_prepared((2, 0, 2), size=32)
    masks = np.load(data / "masks.npy")
    np.save(data / "masks.npy", 0 * masks)
    files.write_checksums(data)
    items = [prepared.read(data).items["item"].iloc[row] for row in prepared.read(data).split("test")]
    folder = put(tmp_path / "none", {item: np.zeros((32, 32), np.uint8) for item in items})
    said = score_folder(folder, data, tmp_path / "results", "mine", 0, train_settings(), 4)
    assert "pooled Dice undefined, as neither masks nor predictions have crack" in said
    assert "check the files" not in said


@pytest.fixture
def of_classes(make_prepared: Make) -> tuple[Path, dict[str, np.ndarray]]:
    """Return a prepared dataset of three classes, and the class of each pixel of its test items."""
    folder = make_prepared((2, 0, 3), size=32, classes=3)
    read = prepared.read(folder)
    return folder, {read.items["item"].iloc[row]: np.asarray(read.masks[row]) for row in read.split("test")}


def put(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for item, array in arrays.items():
        cv2.imwrite(str(folder / f"{item}.png"), array)
    return folder


def test_maps_of_classes_are_scored_by_class(
    of_classes: tuple[Path, dict[str, np.ndarray]], tmp_path: Path, train_settings: Make
) -> None:
    data, true = of_classes

    def scored(folder: Path, seed: int = 0) -> tuple[str, Any]:
        said = score_folder(folder, data, tmp_path / "results", "mine", seed, train_settings(), 4)
        return said, scores.read(tmp_path / "results" / "external" / "mine" / "cfd").classes

    said, counts = scored(put(tmp_path / "truth", true))
    assert "IoU / Dice by class: background 1.0000 / 1.0000, class 1 1.0000 / 1.0000, class 2 1.0000 / 1.0000" in said
    assert counts[["fp", "fn"]].to_numpy().sum() == 0
    pixels = np.bincount(np.concatenate([mask.ravel() for mask in true.values()]))
    assert counts.groupby("class")["tp"].sum().tolist() == pixels.tolist()
    swapped = {item: np.choose(mask, [0, 2, 1]).astype(np.uint8) for item, mask in true.items()}
    said, counts = scored(put(tmp_path / "swapped", swapped), seed=1)
    assert "pooled Dice 1.0000" in said  # as crack against background
    assert "class 1 0.0000 / 0.0000, class 2 0.0000 / 0.0000, mean 0.3333 / 0.3333" in said
    assert counts.groupby("seed")["fn"].sum().to_dict() == {0: 0, 1: sum((m > 0).sum() for m in true.values())}
    binary = {item: np.where(mask > 0, 255, 0).astype(np.uint8) for item, mask in true.items()}
    said, counts = scored(put(tmp_path / "binary", binary), seed=2)
    assert "No class was scored, only crack against background: " in said
    assert sorted(counts["seed"].unique()) == [0, 1]
    put(tmp_path / "binary" / "classes", true)
    said, counts = scored(tmp_path / "binary", seed=2)
    assert "class 2 1.0000 / 1.0000" in said
    put(tmp_path / "binary" / "classes", {item: mask + 5 for item, mask in true.items()})
    with pytest.raises(UserError, match=r"classes/CFD_\d+\.png contains \d, which is no class: .* to 2"):
        scored(tmp_path / "binary", seed=2)
