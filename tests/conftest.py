"""What many tests need: tiny real data with the layout of the real ones, built in a temporary folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from PIL import Image

from bench.data.dataset import Card
from bench.formats import cost, files, predictions, prepared, run, scores
from bench.settings import load_params, section
from tests.fixtures.dvc_project import dvc_processes, endless_project
from tests.fixtures.grid import workspace, workspaces, write_predictions
from tests.fixtures.reports import grid, run_report, write_grid
from tests.fixtures.training import tiny_model

# fixtures for all tests
__all__ = [
    "dvc_processes",
    "endless_project",
    "grid",
    "run_report",
    "tiny_model",
    "workspace",
    "workspaces",
    "write_grid",
    "write_predictions",
]

settings.register_profile("tests", max_examples=40, deadline=None, derandomize=True)  # the same examples every time
settings.load_profile("tests")

ROOT = Path(__file__).parents[1]
SPLITS = ("train", "validation", "test")


@pytest.fixture
def draw_pair() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return a function: number, height, width -> a grey image with a dark line, and the line's mask, 255 on it."""

    def draw(number: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(number)
        image = generator.integers(120, 200, (height, width, 3), dtype=np.uint8)
        mask = np.zeros((height, width), np.uint8)
        columns = (np.arange(height) * 0.5 + number * 3).astype(int) % (width - 3)
        for row, column in enumerate(columns):
            mask[row, column : column + 3] = 255
        image[mask > 0] //= 4
        return image, mask

    return draw


@pytest.fixture
def make_raw(tmp_path: Path, draw_pair: Callable[..., Any]) -> Callable[..., Path]:
    """Return a function that fills a folder as the download stage does."""

    def make(names: Sequence[str], height: int = 48, width: int = 64, folder: str = "raw") -> Path:
        root = tmp_path / folder
        for kind in ("images", "masks"):
            (root / kind).mkdir(parents=True)
        for number, name in enumerate(names):
            image, mask = draw_pair(number, height, width)
            Image.fromarray(image).save(root / "images" / f"{name}.png")
            Image.fromarray(mask).save(root / "masks" / f"{name}.png")
        files.write_json(root / "source.json", {"source": "collection", "archive": "a.zip", "licence": "none"})
        return root

    return make


@pytest.fixture
def make_prepared(tmp_path: Path, draw_pair: Callable[..., Any]) -> Callable[..., Path]:
    """Return a function that writes a prepared dataset of so many training, validation and test items."""

    def make(
        counts: tuple[int, int, int] = (6, 0, 2),
        size: int = 64,
        classes: int = 1,
        dataset: str = "cfd",
        folder: str = "prepared",
        source: str = "collection",
        test_share: float = 0.25,
    ) -> Path:
        total = sum(counts)
        names = [f"CFD_{i:03d}" for i in range(total)]
        split = [name for name, count in zip(SPLITS, counts, strict=True) for _ in range(count)]
        items = pd.DataFrame({"item": names, "file": [f"{n}.jpg" for n in names], "photo": names, "split": split})

        def pairs() -> Any:
            for number in range(total):
                image, mask = draw_pair(number, size, size)
                labels = (mask > 0).astype(np.uint8)
                if classes > 2:
                    labels[: size // 2] *= 2  # a third class in the upper half
                yield image, labels, (size, size)

        card = {
            "dataset": dataset,
            "classes": classes,
            "origin": {"source": source},
            "settings": {"image_size": size, "test_share": test_share, "seed": 0, "skip": []},
            "counts": dict(zip(SPLITS, counts, strict=True)),
        }
        prepared.write(tmp_path / folder, items, card, pairs())
        return tmp_path / folder

    return make


@pytest.fixture
def train_settings() -> Callable[..., Any]:
    """Return a function: changes -> the settings of a tiny training on a CPU; all else as in params.yaml."""

    def build(**changes: Any) -> Any:
        from bench.training.settings import TrainSettings

        tiny = {"encoder": "resnet18", "weights": None, "epochs": 2, "batch": 4, "lr": 1e-3}
        tiny |= {"device": "cpu", "threads": 1, "workers": 0}
        params = load_params(ROOT / "params.yaml")
        return section({"train": params["train"] | tiny | changes}, "train", TrainSettings)

    return build


@pytest.fixture
def run_record() -> Callable[..., dict[str, Any]]:
    """Return a function: changes -> what run.json of a finished run holds."""

    def build(**changes: Any) -> dict[str, Any]:
        record = {
            "dataset": "cfd",
            "model": "unet",
            "model_name": "UNet",
            "seed": 0,
            "protocol": "0123456789ab",
            "settings": {"prepare": {"image_size": 448}, "train": {"lr": 1e-4, "batch": 32}},
            "source": "collection",
            "data": "content",
            "code": {"commit": "c0ffee", "dirty": False},
            "program": "abc",
            "versions": {"python": "3.11"},
            "hardware": {"processor": "CPU", "cores": 2, "threads": 2},
            "epochs": 2,
            "best_epoch": 1,
            "seconds": 3.5,
            "images_per_s": 4.0,
            "peak_memory_mb": 100.0,
            "stopped": "all epochs done",
        }
        return record | changes

    return build


@pytest.fixture
def history() -> pd.DataFrame:
    """Return the training curve of two epochs."""
    return pd.DataFrame(
        [(1, 1e-4, 1.5, 0.1, 1.4, 0.2), (2, 1e-4, 1.2, 0.3, 1.3, 0.25)],
        columns=["epoch", "lr", "train_loss", "train_iou", "val_loss", "val_iou"],
    )


@pytest.fixture
def make_run(run_record: Callable[..., Any], history: pd.DataFrame) -> Callable[..., dict[str, np.ndarray]]:
    """Return a function that writes the run of a cell on a prepared dataset, and returns its predictions by item."""

    def make(source: Path, folder: Path, seed: int = 0, **changes: Any) -> dict[str, np.ndarray]:
        data = prepared.read(source)
        generator = np.random.default_rng(seed)
        levels = {}
        for row in data.split("test"):
            item = data.items["item"].iloc[row]
            noise = generator.random(data.masks[row].shape, np.float32)
            prob = np.where(data.masks[row] > 0, 0.3 + 0.7 * noise, 0.6 * noise).astype(np.float32)
            levels[item] = predictions.quantise(prob)
            predictions.write_one(folder / "probabilities", item, levels[item])
        record = run_record(data=data.card["content"], dataset=data.card["dataset"], seed=seed, **changes)
        run.write(folder, record, history)
        return levels

    return make


@pytest.fixture
def score_rows() -> Callable[..., pd.DataFrame]:
    """Return a function: dataset, model, seed, counts of each image -> rows of images.csv."""

    def build(
        dataset: str, model: str, seed: int, counts: Sequence[tuple[int, int, int, int]], batch: int = 32
    ) -> pd.DataFrame:
        frame = pd.DataFrame(0, index=range(len(counts)), columns=scores.IMAGES)
        frame["item"] = frame["photo"] = [f"item{i}" for i in range(len(counts))]
        frame[scores.COUNTS] = np.array(counts)
        frame["batch"] = np.arange(len(counts)) // batch
        return frame.assign(dataset=dataset, model=model, seed=seed)

    return build


@pytest.fixture
def cost_record() -> Callable[..., dict[str, Any]]:
    """Return a function: changes -> what a cost file holds."""

    def build(**changes: Any) -> dict[str, Any]:
        record = dict.fromkeys(cost.KEYS, 1.0) | {
            "model": "unet",
            "model_name": "UNet",
            "encoder": "resnet50",
            "image_size": 448,
            "parameters": 32_521_105,
            "gmacs": 32.8,
            "gflops": 65.6,
            "device": "a processor",
            "threads": 2,
            "versions": {},
            "counter": "torch.utils.flop_counter",
            "anchor": "ResNet-18",
            "anchor_ms_before": 4.0,
            "anchor_ms_after": 4.0,
        }
        return record | changes

    return build


@pytest.fixture
def three_class_card() -> Card:
    """Return the card of a dataset of several classes."""
    return Card("Three", "Road crack", "drawn", 4, 4, 5.0, "none", "nobody", classes=3)
