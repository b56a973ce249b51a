"""Train: real trainings, tiny, on the CPU: what they write, that they repeat to the bit, how they end early."""

import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file
from tqdm import tqdm

from bench import plugins
from bench.errors import Interrupted, UserError
from bench.formats import files, prepared
from bench.formats import run as run_format
from bench.stages import train
from bench.training import loader, loop, saver
from bench.training.augment import augment
from bench.training.loader import normalise
from bench.training.loss import binary_loss
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]
Make = Callable[..., Any]


def contents(folder: Path) -> dict[str, bytes]:
    """Return all that must not differ between two trainings; run.json holds durations, and its checksum follows."""
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name not in ("run.json", files.SUMS)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def maps(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (folder / "probabilities").iterdir()}


def images_and_masks(data: prepared.Prepared, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    rows = data.split(split)
    return normalise(torch.from_numpy(data.images[rows])), torch.from_numpy(data.masks[rows])


def history(folder: Path) -> pd.DataFrame:
    return run_format.read(folder)[1]


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the places of a U-Net trained twice for 2 epochs on 8 images of 64 px, and its settings."""
    return {"folder": tmp_path_factory.mktemp("unet")}


@pytest.fixture
def trained(unet: dict[str, Any], make_prepared: Make, train_settings: Make) -> tuple[Path, list[Path]]:
    """Return the prepared data and two runs of a U-Net, trained once for all tests of this file."""
    if "source" not in unet:
        unet["source"] = make_prepared((6, 0, 2), size=64).rename(unet["folder"] / "prepared")
        unet["runs"] = [unet["folder"] / "runs" / name for name in ("a", "b")]
        for target in unet["runs"]:
            train.run(unet["source"], target, "unet", 0, train_settings(epochs=2))
    return unet["source"], unet["runs"]


def test_a_run_has_all_its_files(trained: tuple[Path, list[Path]]) -> None:
    source, (folder, _) = trained
    assert sorted(contents(folder)) == [
        "history.csv", "probabilities/CFD_006.png", "probabilities/CFD_007.png", "weights.safetensors"
    ]  # fmt: skip
    assert not list(folder.parent.glob(".*"))  # no checkpoint is left
    record, _ = run_format.read(folder)
    data = prepared.read(source)
    expected = {"dataset": "cfd", "model": "unet", "model_name": "UNet", "seed": 0, "epochs": 2, "source": "collection"}
    assert {key: record[key] for key in expected} == expected
    assert record["data"] == data.card["content"]
    assert record["stopped"] == "all epochs done"
    assert record["seconds"] > 0
    assert record["images_per_s"] == pytest.approx(12 / record["seconds"], rel=0.02)  # both are rounded
    assert record["peak_memory_mb"] > 50
    assert record["hardware"]["threads"] == 1
    assert (record["classes"], record["computes_in"]) == (1, "float32")
    assert record["versions"]["torch"] == torch.__version__.partition("+")[0] or record["versions"]["torch"]
    assert record["settings"]["train"]["lr"] == 1e-3
    assert record["settings"]["prepare"]["image_size"] == 64
    assert not {"threads", "workers", "device", "deterministic"} & set(record["settings"]["train"])


def test_two_runs_are_the_same_to_the_bit(trained: tuple[Path, list[Path]]) -> None:
    _, (a, b) = trained
    assert contents(a) == contents(b)
    records = [run_format.read(folder)[0] for folder in (a, b)]
    for key in ("protocol", "data", "program", "settings", "best_epoch"):
        assert records[0][key] == records[1][key]


def test_the_weights_are_those_of_the_best_epoch(trained: tuple[Path, list[Path]]) -> None:
    source, (folder, _) = trained
    data, curve = prepared.read(source), history(folder)
    record, _ = run_format.read(folder)
    best = curve.loc[curve["val_loss"].idxmin()]
    assert record["best_epoch"] == best["epoch"]
    network = plugins.load("models", "unet").build(3, 1, 64, "resnet18", None)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    images, masks = images_and_masks(data, "test")
    with torch.no_grad():
        logits = network.eval()(images)
    from bench.training.settings import LossSettings

    loss = binary_loss(logits, masks, LossSettings(**record["settings"]["train"]["loss"])).mean()
    assert loss.item() == pytest.approx(best["val_loss"], rel=1e-5)
    prob = logits[:, 0].sigmoid().numpy()
    for (item, found), expected in zip(sorted(maps(folder).items()), prob, strict=True):
        assert np.abs(found - np.floor(256 * expected)).max() <= 1, item
    pred = np.stack([found for _, found in sorted(maps(folder).items())]) >= 128
    true = masks.numpy() > 0
    assert (pred & true).sum() / (pred | true).sum() == pytest.approx(best["val_iou"], abs=1e-3)


def test_the_history_has_a_row_per_epoch(trained: tuple[Path, list[Path]]) -> None:
    curve = history(trained[1][0])
    assert curve["epoch"].tolist() == [1, 2]
    assert curve["lr"].tolist() == [1e-3, 1e-3]
    assert np.isfinite(curve).to_numpy().all()
    assert curve[["train_iou", "val_iou"]].stack().between(0, 1).all()


def test_another_seed_gives_another_network(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    for seed in (0, 1):
        train.run(source, tmp_path / str(seed), tiny_model, seed, train_settings(epochs=1))
    a, b = (load_file(tmp_path / seed / "weights.safetensors") for seed in "01")
    assert all(not torch.equal(a[name], b[name]) for name in a)


def test_the_training_loss_of_an_epoch_is_the_mean_over_its_images(
    tmp_path: Path, make_prepared: Make, train_settings: Make, monkeypatch: pytest.MonkeyPatch, tiny_model: str
) -> None:
    losses: dict[int, list[tuple[float, int]]] = {}
    real = loop.step

    def step(state: Any, batch: Any, *rest: Any) -> torch.Tensor:
        loss = real(state, batch, *rest)
        losses.setdefault(batch.epoch, []).append((loss.item(), len(batch.rows)))
        return loss

    monkeypatch.setattr(loop, "step", step)
    train.run(make_prepared((7, 0, 2), size=32), tmp_path / "run", tiny_model, 0, train_settings(epochs=3, batch=4))
    assert {epoch: [n for _, n in found] for epoch, found in losses.items()} == {1: [4, 3], 2: [4, 3], 3: [4, 3]}
    expected = [sum(loss * n for loss, n in found) / 7 for found in losses.values()]
    assert history(tmp_path / "run")["train_loss"].tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("engine", ["workers", "device"])
def test_a_training_learns(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, engine: str
) -> None:
    settings = train_settings(epochs=30, lr=3e-2, augment_on=engine)
    train.run(make_prepared((12, 0, 4), size=32), tmp_path / "run", tiny_model, 0, settings)
    curve = history(tmp_path / "run")
    assert curve["val_iou"].max() > 0.8  # dark lines on a bright ground
    assert curve["train_loss"].iloc[-1] < 0.5 * curve["train_loss"].iloc[0]


def test_several_classes(tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str) -> None:
    source = make_prepared((6, 0, 2), size=32, classes=3)
    settings = train_settings(epochs=2)
    train.run(source, tmp_path / "run", tiny_model, 0, settings)
    weights = load_file(tmp_path / "run" / "weights.safetensors")
    assert weights["3.weight"].shape[0] == 3
    network = plugins.load("models", tiny_model).build(3, 3, 32, "", None).eval()
    network.load_state_dict(weights)
    images, _ = images_and_masks(prepared.read(source), "test")
    with torch.no_grad():
        odds = network(images).exp().numpy()
    crack = odds[:, 1:].max(1) / (odds[:, 1:].max(1) + odds[:, 0])  # above one half where argmax is no background
    for (_, found), expected in zip(sorted(maps(tmp_path / "run").items()), crack, strict=True):
        assert np.abs(found - np.floor(256 * expected)).max() <= 1


def test_classes_are_weighed_by_how_rare_they_are_in_training(make_prepared: Make, train_settings: Make) -> None:
    folder = make_prepared((4, 0, 2), size=32, classes=3)
    masks = np.load(folder / "masks.npy")
    counts = [int((masks[:4] == k).sum()) for k in range(3)]
    masks[4:] = 1  # the test items would say otherwise
    np.save(folder / "masks.npy", masks)
    files.write_checksums(folder)
    data = prepared.read(folder)
    settings = train_settings(loss={"cross_entropy": 1.0, "dice": 0.0, "epsilon": 1e-5, "dice_over": "image"})
    weights = torch.tensor([4 * 32 * 32 / (3 * count) for count in counts])
    one_of_each = torch.tensor([[[0, 1, 2]]], dtype=torch.uint8)
    found = train.build_loss(data, settings, torch.device("cpu"))(torch.zeros(1, 3, 1, 3), one_of_each)
    assert found.item() == pytest.approx(weights.sum().item() * np.log(3) / 3, rel=1e-5)


def test_a_real_network_of_several_classes(tmp_path: Path, make_prepared: Make, train_settings: Make) -> None:
    source = make_prepared((4, 0, 2), size=64, classes=3)
    train.run(source, tmp_path / "run", "unet", 0, train_settings(epochs=1))
    assert history(tmp_path / "run")["val_loss"].notna().all()
    assert len(maps(tmp_path / "run")) == 2


def test_the_checkpoint_may_be_chosen_on_the_validation_items(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((6, 3, 2), size=32)
    settings = train_settings(epochs=3, select_on="validation")
    train.run(source, tmp_path / "run", tiny_model, 0, settings)
    network = plugins.load("models", tiny_model).build(3, 1, 32, "", None).eval()
    network.load_state_dict(load_file(tmp_path / "run" / "weights.safetensors"))
    images, masks = images_and_masks(prepared.read(source), "validation")
    with torch.no_grad():
        loss = binary_loss(network(images), masks, settings.loss).mean().item()
    assert loss == pytest.approx(history(tmp_path / "run")["val_loss"].min(), rel=1e-5)
    assert set(maps(tmp_path / "run")) == {"CFD_009", "CFD_010"}  # predictions are of the test items all the same


@pytest.mark.parametrize(
    ("counts", "select_on", "message"),
    [
        ((6, 0, 2), "validation", "has 0 validation items, at least 1 are needed"),
        ((1, 0, 2), "test", "has 1 train items, at least 2 are needed"),
        ((4, 1, 0), "validation", "has 0 test items, at least 1 are needed"),
    ],
)
def test_a_dataset_without_the_items_is_refused(
    tmp_path: Path, make_prepared: Make, train_settings: Make, counts: tuple[int, ...], select_on: str, message: str
) -> None:
    source = make_prepared(counts, size=32)
    with pytest.raises(UserError, match=message) as caught:
        train.run(source, tmp_path / "run", "unet", 0, train_settings(select_on=select_on))
    assert str(source) in str(caught.value)
    assert "prepare.validation_share or train.select_on" in str(caught.value)
    assert not (tmp_path / "run").exists()


def diverging(settings: TrainSettings) -> TrainSettings:
    """Return settings with a learning rate that params.yaml could not have."""
    object.__setattr__(settings, "lr", 1e30)
    return settings


def test_a_loss_that_is_no_number_ends_the_training(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    with pytest.raises(UserError, match=r"the loss became (nan|inf) in epoch 1, step 1, at learning rate 1e") as caught:
        train.run(source, tmp_path / "run", tiny_model, 0, diverging(train_settings(batch=3)))
    report = files.read_json(tmp_path / ".run.checkpoint" / "nan.json")
    assert str(tmp_path / ".run.checkpoint" / "nan.json") in str(caught.value)
    assert "Lower train.lr" in str(caught.value)
    assert (report["epoch"], report["step"], report["lr"]) == (1, 1, 1e30)
    assert len(report["items"]) == 3
    assert set(report["items"]) <= {f"CFD_{i:03d}" for i in range(6)}
    assert not (tmp_path / "run" / "run.json").exists()
    assert not list((tmp_path / ".run.checkpoint").glob("*.safetensors"))  # nothing to go on from


def test_no_batch_is_kept_after_its_step(
    tmp_path: Path, make_prepared: Make, train_settings: Make, monkeypatch: pytest.MonkeyPatch, tiny_model: str
) -> None:
    batches: list[weakref.ref[Any]] = []
    alive: list[int] = []
    real = loop.step

    def step(state: Any, batch: Any, *rest: Any) -> Any:
        batches.append(weakref.ref(batch.images))
        alive.append(sum(images() is not None for images in batches))
        return real(state, batch, *rest)

    monkeypatch.setattr(loop, "step", step)
    train.run(make_prepared((8, 0, 2), size=32), tmp_path / "run", tiny_model, 0, train_settings(epochs=1, batch=2))
    assert len(alive) == 4
    assert max(alive) <= 2


def test_a_validation_loss_that_is_no_number_ends_the_training(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((4, 0, 2), size=32)
    with pytest.raises(UserError, match=r"the loss on the test items became (nan|inf) in epoch 1"):
        train.run(source, tmp_path / "run", tiny_model, 0, diverging(train_settings(batch=4, epochs=1)))
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize("parts", [2, 3])
def test_a_batch_in_parts_is_the_same_step(
    tmp_path: Path,
    make_prepared: Make,
    train_settings: Make,
    monkeypatch: pytest.MonkeyPatch,
    tiny_model: str,
    parts: int,
) -> None:
    monkeypatch.setattr(torch.nn.Dropout2d, "forward", lambda _, x: x)  # its draws depend on the parts
    source = make_prepared((11, 0, 2), size=32)
    for name, accumulate in (("whole", 1), ("parts", parts)):
        train.run(source, tmp_path / name, tiny_model, 0, train_settings(epochs=2, batch=6, accumulate=accumulate))
    whole, in_parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    for name, tensor in whole.items():
        torch.testing.assert_close(in_parts[name], tensor, rtol=1e-3, atol=1e-4)
    for a, b in zip(history(tmp_path / "whole")["train_loss"], history(tmp_path / "parts")["train_loss"], strict=True):
        assert a == pytest.approx(b, rel=1e-4)


def test_no_part_of_a_batch_is_a_single_image(tmp_path: Path, make_prepared: Make, train_settings: Make) -> None:
    source = make_prepared((7, 0, 2), size=64)  # batches of 4 and 3
    settings = train_settings(epochs=1, batch=4, accumulate=2)
    train.run(source, tmp_path / "run", "deeplabv3plus", 0, settings)  # it normalises one pooled value per image
    assert (tmp_path / "run" / "run.json").exists()


def stop_at(monkeypatch: pytest.MonkeyPatch, at: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Send this process a signal in a certain step of the training."""
    count = 0
    real = loop.step

    def step(*args: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), number)
        return real(*args)

    monkeypatch.setattr(loop, "step", step)


@pytest.fixture
def _safe() -> Any:
    """Keep the test process alive should the training not take the signal."""

    def fail(number: int, _: object) -> None:
        raise AssertionError(f"signal {number} reached the tests")

    old = {number: signal.signal(number, fail) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in old.items():
        assert signal.getsignal(number) is fail, "the training left its handler behind"
        signal.signal(number, handler)


@pytest.mark.usefixtures("_safe")
@pytest.mark.parametrize("stop", [None, 1, 3, 6])
def test_the_learning_rate_falls_on_a_plateau_and_the_training_stops(
    tmp_path: Path,
    make_prepared: Make,
    train_settings: Make,
    monkeypatch: pytest.MonkeyPatch,
    tiny_model: str,
    stop: int | None,
) -> None:
    source = make_prepared((4, 0, 2), size=32)
    settings = train_settings(epochs=50, plateau={"factor": 0.5, "patience": 2}, stop_patience=7)
    monkeypatch.setattr(torch.nn.Conv2d, "forward", lambda self, x: x[:, : self.out_channels] + 0 * self.bias.sum())
    if stop:  # an interruption must not make it forget how long it has waited
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, stop)
            with pytest.raises(Interrupted):
                train.run(source, tmp_path / "run", tiny_model, 0, settings)
    train.run(source, tmp_path / "run", tiny_model, 0, settings)
    record, curve = run_format.read(tmp_path / "run")
    assert record["stopped"] == "no better loss for 7 epochs"
    assert record["best_epoch"] == 1
    assert curve["epoch"].tolist() == list(range(1, 9))
    assert (curve["lr"] / 1e-3).tolist() == pytest.approx([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25])


@pytest.mark.usefixtures("_safe")
@pytest.mark.parametrize("stop", [None, 1, 3])
def test_the_learning_rate_follows_a_cosine(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, stop: int | None
) -> None:
    source = make_prepared((4, 0, 2), size=32)
    settings = train_settings(epochs=4, schedule="cosine")
    if stop:
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, stop)
            with pytest.raises(Interrupted):
                train.run(source, tmp_path / "run", tiny_model, 0, settings)
    train.run(source, tmp_path / "run", tiny_model, 0, settings)
    _, curve = run_format.read(tmp_path / "run")
    # half of (1 + cos(pi e / 4)) in epoch e = 0, 1, 2, 3
    assert (curve["lr"] / 1e-3).tolist() == pytest.approx([1, 0.8535534, 0.5, 0.1464466])


@pytest.mark.usefixtures("_safe")
@pytest.mark.parametrize("stops", [(1,), (2,), (3, 2), (4,), (1, 1, 1, 1), (6,)])
def test_an_interrupted_training_ends_as_if_it_had_never_been(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, stops: tuple[int, ...]
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    settings = train_settings(epochs=3, batch=3, plateau={"factor": 0.5, "patience": 0})  # 2 steps an epoch
    train.run(source, tmp_path / "whole", tiny_model, 0, settings)
    for number, stop in enumerate(stops):
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, stop, (signal.SIGTERM, signal.SIGINT)[number % 2])
            with pytest.raises(Interrupted, match="the next run resumes from") as caught:
                train.run(source, tmp_path / "stopped", tiny_model, 0, settings)
        assert caught.value.number == (signal.SIGTERM, signal.SIGINT)[number % 2]
        assert len(list((tmp_path / ".stopped.checkpoint").glob("*.safetensors"))) == 1
        assert not (tmp_path / "stopped" / "run.json").exists()
    train.run(source, tmp_path / "stopped", tiny_model, 0, settings)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    assert not (tmp_path / ".stopped.checkpoint").exists()
    records = [run_format.read(tmp_path / name)[0] for name in ("whole", "stopped")]
    assert records[0]["best_epoch"] == records[1]["best_epoch"]
    assert records[1]["seconds"] > 0


@pytest.mark.usefixtures("_safe")
@pytest.mark.parametrize(
    ("changes", "seed", "key"),
    [({"lr": 0.5}, 0, "protocol"), ({}, 1, "seed"), ({"batch": 2}, 0, "protocol")],
)
def test_the_checkpoint_of_another_training_is_refused(
    tmp_path: Path,
    make_prepared: Make,
    train_settings: Make,
    tiny_model: str,
    changes: dict[str, Any],
    seed: int,
    key: str,
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, 1)
        with pytest.raises(Interrupted):
            train.run(source, tmp_path / "run", tiny_model, 0, train_settings(batch=3))
    left = contents(tmp_path / ".run.checkpoint")
    with pytest.raises(UserError, match=f"belongs to another training: {key} differ"):
        train.run(source, tmp_path / "run", tiny_model, seed, train_settings(**{"batch": 3} | changes))
    assert contents(tmp_path / ".run.checkpoint") == left


@pytest.mark.usefixtures("_safe")
def test_what_only_concerns_the_machine_may_change_in_between(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    train.run(source, tmp_path / "whole", tiny_model, 0, train_settings(batch=3))
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, 3)
        with pytest.raises(Interrupted):
            train.run(source, tmp_path / "run", tiny_model, 0, train_settings(batch=3))
    changes = {"threads": None, "checkpoint_minutes": 1.0, "deterministic": True, "device": "auto"}
    if torch.cuda.is_available():
        changes["device"] = "cpu"
    train.run(source, tmp_path / "run", tiny_model, 0, train_settings(batch=3, **changes))
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


SCRIPT = """
import os, signal
from bench.training import {module}
from bench.cli.main import main

real, count = {module}.{name}, 0
def stopping(*args):
    global count
    count += 1
    if count == 3:
        os.killpg(0, signal.SIGTERM)  # as a scheduler does: all processes get it
    return real(*args)

{module}.{name} = stopping
main(prog_name="bench")
"""


@pytest.mark.parametrize(
    ("where", "workers", "place"),
    [
        (("loop", "step"), 0, "epoch 2, step 1"),
        (("loop", "step"), 1, "epoch 2, step 1"),
        (("loader", "augment"), 1, "epoch 1, step 0"),  # while the training waits for the worker
    ],
)
def test_the_command_stops_on_sigterm_and_the_next_run_resumes_to_the_same_end(
    tmp_path: Path,
    make_prepared: Make,
    train_settings: Make,
    capsys: pytest.CaptureFixture[str],
    where: tuple[str, str],
    workers: int,
    place: str,
) -> None:
    source = make_prepared((6, 0, 2), size=64)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"encoder": "resnet18", "weights": None, "epochs": 2, "batch": 3, "lr": 1e-3}
    params["train"] |= {"threads": 1, "device": "cpu", "workers": workers}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    arguments = ["--params", str(tmp_path / "params.yaml"), "train", str(source), str(tmp_path / "stopped")]
    script = SCRIPT.format(module=where[0], name=where[1])
    command = [sys.executable, "-c", script, *arguments, "--model", "pspnet"]  # it has dropout
    stopped = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, start_new_session=True, timeout=120
    )
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    assert f"stopped by SIGTERM: the next run resumes from {tmp_path / '.stopped.checkpoint'}" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert stopped.stdout == ""
    assert not (tmp_path / "stopped" / "run.json").exists()
    train.run(source, tmp_path / "stopped", "pspnet", 0, train_settings(batch=3))
    assert f"resuming from {tmp_path / '.stopped.checkpoint'}: {place}" in capsys.readouterr().err
    train.run(source, tmp_path / "whole", "pspnet", 0, train_settings(batch=3))
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_exception_in_a_worker_loses_nothing(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, workers: int
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    settings = train_settings(epochs=3, batch=3, workers=workers, checkpoint_minutes=0)
    train.run(source, tmp_path / "whole", tiny_model, 0, settings)

    def broken(compose: Any, image: Any, mask: Any, key: tuple[int, int, int]) -> Any:
        if key[1] == 3:
            raise RuntimeError("a cosmic ray")
        return augment(compose, image, mask, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "augment", broken)
        patch.setattr(saver, "CHECKPOINT_SHARE", 1e9)
        with pytest.raises(RuntimeError, match="a cosmic ray"):
            train.run(source, tmp_path / "broken", tiny_model, 0, settings)
    (left,) = (tmp_path / ".broken.checkpoint").glob("*.safetensors")
    assert int(left.name.partition("-")[0]) == 12, "two epochs of six items"
    train.run(source, tmp_path / "broken", tiny_model, 0, settings)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_a_worker_that_the_system_kills_is_explained_and_nothing_is_lost(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    settings = train_settings(epochs=3, batch=3, workers=1)

    def killed(*_: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loader, "augment", killed)
        with pytest.raises(UserError, match=r"worker died, .*lower train\.workers"):
            train.run(source, tmp_path / "run", tiny_model, 0, settings)
    train.run(source, tmp_path / "run", tiny_model, 0, settings)
    assert len(history(tmp_path / "run")) == 3


def test_a_full_disk_loses_nothing(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    settings = train_settings(epochs=3, batch=3, checkpoint_minutes=0)
    train.run(source, tmp_path / "whole", tiny_model, 0, settings)
    monkeypatch.setattr(loop, "_bar", lambda *_: tqdm(disable=True))  # its lines go to a file, too, in a test
    monkeypatch.setattr(saver, "CHECKPOINT_SHARE", 1e9)
    real, count = loop.step, 0

    def step(*args: Any) -> torch.Tensor:
        nonlocal count
        count += 1
        if count == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # the system refuses to write more to a file
        return real(*args)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "step", step)
        try:
            with pytest.raises(
                UserError, match=r"the checkpoint cannot be written to .* free disk space and run again"
            ):
                train.run(source, tmp_path / "full", tiny_model, 0, settings)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (left,) = (tmp_path / ".full.checkpoint").iterdir()
    assert int(left.name.partition("-")[0]) == 9, "three batches of three items"
    train.run(source, tmp_path / "full", tiny_model, 0, settings)
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


def test_a_disk_that_fills_at_the_end_loses_nothing(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, settings = make_prepared((6, 0, 2), size=32), train_settings(epochs=3, batch=3)
    train.run(source, tmp_path / "whole", tiny_model, 0, settings)
    monkeypatch.setattr(saver, "WORTH_SAVING_S", 0)
    monkeypatch.setattr(loop, "_bar", lambda *_: tqdm(disable=True))  # its lines go to a file, too, in a test
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "predict", lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1])))
        try:
            with pytest.raises(UserError, match=r"weights\.safetensors cannot be written .* free disk space"):
                train.run(source, tmp_path / "full", tiny_model, 0, settings)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    monkeypatch.setattr(loop, "step", lambda *_: pytest.fail("all steps were done"))
    train.run(source, tmp_path / "full", tiny_model, 0, settings)
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


def test_an_output_that_is_no_number_is_not_scored(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, real = make_prepared((4, 0, 2), size=32), train.fit

    def fit(network: torch.nn.Module, *rest: Any) -> Any:
        found = real(network, *rest)
        next(network.parameters()).data.fill_(math.nan)
        return found

    monkeypatch.setattr(train, "fit", fit)
    with pytest.raises(UserError, match=r"output for \w+ is NaN or infinite: set train\.precision to float32"):
        train.run(source, tmp_path / "run", tiny_model, 0, train_settings(epochs=1, batch=2))
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # torch's compiler uses it
def test_a_compiled_training_is_the_same_up_to_rounding(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    source = make_prepared((6, 0, 2), size=32)
    for name, compiled in (("plain", False), ("compiled", True)):
        train.run(source, tmp_path / name, tiny_model, 0, train_settings(epochs=2, batch=3, compile=compiled))
    plain, compiled = (load_file(tmp_path / name / "weights.safetensors") for name in ("plain", "compiled"))
    assert plain.keys() == compiled.keys()
    for name, weights in plain.items():
        torch.testing.assert_close(compiled[name], weights, rtol=1e-3, atol=1e-5)
    records = [run_format.read(tmp_path / name)[0] for name in ("plain", "compiled")]
    assert records[0]["protocol"] == records[1]["protocol"]


def test_a_run_that_is_trained_again_keeps_nothing_of_the_old(
    tmp_path: Path, make_prepared: Make, train_settings: Make, tiny_model: str
) -> None:
    train.run(make_prepared((4, 0, 4), size=32), tmp_path / "run", tiny_model, 0, train_settings(epochs=1))
    shutil.copytree(tmp_path / "run" / "probabilities", tmp_path / "run" / "gates" / "16")
    source = make_prepared((6, 0, 2), size=32, folder="other")
    train.run(source, tmp_path / "run", tiny_model, 0, train_settings(epochs=1))
    assert set(maps(tmp_path / "run")) == {"CFD_006", "CFD_007"}
    assert not (tmp_path / "run" / "gates").exists()


@pytest.mark.parametrize(
    ("error", "changes", "cure"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory"),
            {},
            r"with 4 images of 32x32 px at once: set train.accumulate to 2",
        ),
        (torch.OutOfMemoryError("CUDA out of memory"), {"accumulate": 2}, r"with 2 images .* lower train.batch"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you"), {}, r"out of memory with 4 images"),
        (RuntimeError("another"), {}, r"^another$"),
    ],
)
def test_a_full_device_says_what_to_set(
    tmp_path: Path,
    make_prepared: Make,
    train_settings: Make,
    monkeypatch: pytest.MonkeyPatch,
    tiny_model: str,
    error: RuntimeError,
    changes: dict[str, int],
    cure: str,
) -> None:
    def full(*_: Any) -> None:
        raise error

    monkeypatch.setattr(loop, "step", full)
    with pytest.raises((UserError, RuntimeError), match=cure):
        train.run(make_prepared((4, 0, 2), size=32), tmp_path / "run", tiny_model, 0, train_settings(**changes))


def test_a_layer_that_cannot_be_deterministic_is_named(
    tmp_path: Path, make_prepared: Make, train_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unpooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.Conv2d(3, 1, 1)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            pooled, where = torch.nn.functional.max_pool2d(images, 2, return_indices=True)
            unpooled: torch.Tensor = self.last(torch.nn.functional.max_unpool2d(pooled, where, 2))
            return unpooled

    plugin = SimpleNamespace(NAME="Unpooled", build=lambda *_: Unpooled(), __file__=__file__)
    monkeypatch.setattr(plugins, "load", lambda kind, name: plugin)
    settings = train_settings(deterministic=True)
    with pytest.raises(UserError, match=r"unpooled cannot be .*train.deterministic .*max_unpool.* set it to"):
        train.run(make_prepared((4, 0, 2), size=32), tmp_path / "run", "unpooled", 0, settings)


def test_validation_and_prediction_take_four_parts_of_a_batch_at_once(
    tmp_path: Path, make_prepared: Make, train_settings: Make, monkeypatch: pytest.MonkeyPatch, tiny_model: str
) -> None:
    seen = []
    real = torch.nn.Dropout2d.forward
    monkeypatch.setattr(torch.nn.Dropout2d, "forward", lambda self, x: seen.append(len(x)) or real(self, x))
    settings = train_settings(epochs=1, batch=4, accumulate=2)
    train.run(make_prepared((4, 0, 9), size=32), tmp_path / "run", tiny_model, 0, settings)
    assert seen == [2, 2] + 2 * [8, 1]


def test_an_unknown_encoder_is_refused(tmp_path: Path, make_prepared: Make, train_settings: Make) -> None:
    with pytest.raises(UserError, match="unknown encoder 'resnet'"):
        train.run(make_prepared(size=64), tmp_path / "run", "unet", 0, train_settings(encoder="resnet"))


def test_cuda_that_is_not_there_is_refused(
    tmp_path: Path, make_prepared: Make, train_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="device is 'cuda', but torch finds no CUDA device"):
        train.run(make_prepared(size=64), tmp_path / "run", "unet", 0, train_settings(device="cuda"))
