"""The feed: what comes is a function of seed, epoch and item, whatever the workers or the moment of resuming."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.formats import prepared
from bench.stages import train
from bench.training import loop
from bench.training.augment import augment, build_augmentation
from bench.training.loader import TrainBatch, count_workers, load_resident, normalise, train_batches
from bench.training.order import epoch_batches

CPU = torch.device("cpu")
Make = Callable[..., Any]


@pytest.fixture
def data(make_prepared: Make) -> prepared.Prepared:
    return prepared.read(make_prepared((7, 2, 3), size=32))


def batches(data: prepared.Prepared, settings: Any, start: tuple[int, int] = (1, 0), seed: int = 0) -> list[TrainBatch]:
    return list(train_batches(data, settings, seed, start, CPU))


def same(a: list[TrainBatch], b: list[TrainBatch]) -> bool:
    keys = [[(x.epoch, x.step, x.last, x.rows.tolist()) for x in found] for found in (a, b)]
    arrays = zip(a, b, strict=False)
    return keys[0] == keys[1] and all(
        torch.equal(x.images, y.images) and torch.equal(x.masks, y.masks) for x, y in arrays
    )


def reference(data: prepared.Prepared, settings: Any, found: TrainBatch) -> tuple[np.ndarray, np.ndarray]:
    """Return the batch as numpy and the augmentation alone make it."""
    pairs = []
    for row in found.rows:
        key = (0, found.epoch, int(row))
        compose = build_augmentation(settings.augment)
        pairs.append(augment(compose, np.array(data.images[row]), np.array(data.masks[row]), key))
    images, masks = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return ((images / 255 - mean) / std).transpose(0, 3, 1, 2), masks


def test_batches_are_the_training_items_in_the_epoch_s_order(data: prepared.Prepared, train_settings: Make) -> None:
    settings = train_settings(epochs=3, batch=4)
    found = batches(data, settings)
    assert [(b.epoch, b.step, b.last) for b in found] == [
        (epoch, step, step == 1) for epoch in (1, 2, 3) for step in (0, 1)
    ]
    for epoch in (1, 2, 3):
        rows = [b.rows.tolist() for b in found if b.epoch == epoch]
        assert rows == [r.tolist() for r in epoch_batches(data.split("train"), 4, 0, epoch)]
        assert sorted(row for part in rows for row in part) == list(range(7))


def test_a_batch_is_augmented_normalised_and_of_the_right_kind(data: prepared.Prepared, train_settings: Make) -> None:
    settings = train_settings(epochs=1, batch=4)
    for found in batches(data, settings):
        images, masks = reference(data, settings, found)
        assert found.images.dtype == torch.float32
        assert found.images.shape == (len(found.rows), 3, 32, 32)
        assert np.abs(found.images.numpy() - images).max() < 1e-5
        assert found.masks.dtype == torch.uint8
        assert np.array_equal(found.masks.numpy(), masks)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on fork; the loader's own choice
def test_workers_change_nothing(data: prepared.Prepared, train_settings: Make) -> None:
    alone = batches(data, train_settings(epochs=2, workers=0))
    assert same(batches(data, train_settings(epochs=2, workers=2)), alone)


@pytest.mark.parametrize("engine", ["workers", "device"])
def test_resuming_yields_the_rest(data: prepared.Prepared, train_settings: Make, engine: str) -> None:
    settings = train_settings(epochs=3, augment_on=engine)
    whole = batches(data, settings)
    for done, start in [(0, (1, 0)), (1, (1, 1)), (2, (2, 0)), (3, (2, 1)), (6, (4, 0))]:
        assert same(batches(data, settings, start), whole[done:])


def test_seed_and_engine_change_what_comes(data: prepared.Prepared, train_settings: Make) -> None:
    settings = train_settings(epochs=1)
    first = batches(data, settings)
    assert same(batches(data, settings), first)
    assert not same(batches(data, settings, seed=1), first)
    assert not same(batches(data, train_settings(epochs=1, augment_on="device")), first)


def test_the_global_generators_are_left_alone(data: prepared.Prepared, train_settings: Make) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    batches(data, train_settings(epochs=2))
    assert torch.equal(torch.get_rng_state(), before)  # dropout draws from it


def test_resident_items_come_in_order_as_they_are(data: prepared.Prepared) -> None:
    rows = data.split("test")
    found = list(load_resident(data, rows, CPU).batches(2))
    assert [len(images) for images, _ in found] == [2, 1]
    images, masks = (torch.cat(parts) for parts in zip(*found, strict=True))
    assert torch.equal(images, normalise(torch.from_numpy(data.images[rows])))
    assert np.array_equal(masks.numpy(), data.masks[rows])


def test_normalised_colours_by_hand() -> None:
    image = torch.tensor([[[[0, 0, 0], [255, 255, 255]]]], dtype=torch.uint8)
    expected = torch.tensor(
        [[-0.485 / 0.229, 0.515 / 0.229], [-0.456 / 0.224, 0.544 / 0.224], [-0.406 / 0.225, 0.594 / 0.225]]
    )
    torch.testing.assert_close(normalise(image)[0, :, 0], expected)


def test_a_started_feed_does_not_need_the_files_again(make_prepared: Make, train_settings: Make) -> None:
    """A started feed continues if the folder is prepared again: the arrays are memory-mapped."""
    folder: Path = make_prepared((4, 0, 2), size=32)
    data = prepared.read(folder)
    feed = train_batches(data, train_settings(epochs=2), 0, (1, 0), CPU)
    next(feed)
    for name in ("images.npy", "masks.npy"):
        (folder / name).unlink()
    assert len(list(feed)) == 1


@pytest.mark.parametrize(("threads", "expected"), [(8, 7), (1, 1)])
def test_workers_keep_to_the_threads_of_a_slot(
    train_settings: Make, monkeypatch: pytest.MonkeyPatch, threads: int, expected: int
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert count_workers(train_settings(workers=None), torch.device("cuda")) == expected
    assert count_workers(train_settings(workers=3), torch.device("cuda")) == 3
    assert count_workers(train_settings(workers=None), torch.device("cpu")) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_nothing_waits_for_a_step(data: prepared.Prepared, train_settings: Make) -> None:
    device = torch.device("cuda")
    settings = train_settings(device="cuda", augment_on="device", precision="mixed", epochs=9)
    state = loop.start(train.build_network(data, "unet", settings, device), settings, device)
    criterion, batches = train.build_loss(data, settings, device), train_batches(data, settings, 0, (1, 0), device)
    for _ in range(3):
        loop.step(state, next(batches), criterion, settings, device)
    torch.cuda.set_sync_debug_mode("error")
    try:
        loop.step(state, next(batches), criterion, settings, device)
    finally:
        torch.cuda.set_sync_debug_mode("default")
