"""Training curves as TensorBoard reads them, at the end of a training and while it runs."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import run as run_format
from bench.stages import train
from bench.tools.curves import TAGS, write_curves

pytest.importorskip("tensorboard")


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return name of a curve -> (epoch, value) as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder)).Reload()
    tags = events.Tags()["tensors"]
    return {t: [(e.step, float(make_ndarray(e.tensor_proto))) for e in events.Tensors(t)] for t in tags}


def history(*losses: float) -> pd.DataFrame:
    rows = [(epoch, 1e-3, loss, 0.25, 2 * loss, 0.5) for epoch, loss in enumerate(losses, 1)]
    return pd.DataFrame(rows, columns=run_format.HISTORY)


def test_a_training_has_the_curves_of_its_history(
    tmp_path: Path, make_prepared: Callable[..., Any], train_settings: Callable[..., Any], tiny_model: str
) -> None:
    run = tmp_path / "runs" / "cfd" / tiny_model / "0"
    train.run(make_prepared((4, 0, 2), size=32), run, tiny_model, 0, train_settings(epochs=3))
    for _ in range(2):  # the second call replaces what the first one wrote
        said = write_curves(tmp_path / "runs", tmp_path / "out")
        assert said.startswith("3 epochs of 1 runs")
        found = read(tmp_path / "out" / "cfd" / tiny_model / "0")
        _, table = run_format.read(run)
        assert sorted(found) == sorted(TAGS.values())
        for column, tag in TAGS.items():
            pairs = zip(table["epoch"].tolist(), table[column].tolist(), strict=True)
            assert found[tag] == [(epoch, pytest.approx(value, rel=1e-6)) for epoch, value in pairs]


def test_new_epochs_are_followed_and_a_training_that_starts_again_too(tmp_path: Path) -> None:
    runs, out = tmp_path / "runs", tmp_path / "out"
    cell = runs / "cfd" / "unet" / "0"
    command = [sys.executable, "-m", "bench", "tensorboard", str(runs), "--out", str(out), "--follow"]
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for losses in ((0.5,), (0.5, 0.25), (4.0,)):  # the last: another training of the cell
            run_format.write_history(cell, history(*losses))
            wait_for_losses(out / "cfd" / "unet" / "0", losses)
    finally:
        follower.send_signal(signal.SIGINT)
        said, errors = follower.communicate(timeout=60)
    assert follower.returncode == 0, errors
    assert said.startswith("3 epochs of 1 runs are in ")


def wait_for_losses(folder: Path, losses: tuple[float, ...], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not folder.is_dir() or read(folder).get("loss/train") != [*enumerate(losses, 1)]:
        assert time.monotonic() < end, read(folder)
        time.sleep(0.5)


def test_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no history\.csv: a training writes it after its first epoch"):
        write_curves(tmp_path, tmp_path / "out")


def test_a_missing_library_is_said_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(UserError, match=r"tensorboard\S* is missing: `pip install '\.\[tensorboard\]'`"):
        write_curves(tmp_path, tmp_path / "out")
