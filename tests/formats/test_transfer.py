"""Format of transfer results: what is written is read; damaged and foreign files are named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files, transfer


@pytest.fixture
def results() -> transfer.Transfer:
    """Return two runs on two images of the dataset itself, on these with noise, and on one image of another."""
    rows = [
        ["cfd", "clean", "a", "p", 100, 10, 0],
        ["cfd", "clean", "b", "p", 100, 0, 0],
        ["gaps", "clean", "c", "q", 50, 5, 1],
        ["cfd", "noise", "a", "p", 100, 10, 0],
        ["cfd", "noise", "b", "p", 100, 0, 0],
    ]
    counts = np.arange(20, dtype=np.uint32).reshape(2, 5, 2) % 6
    histograms = np.arange(2 * 3 * 512, dtype=np.uint64).reshape(2, 3, 2, 256)
    runs = [{"dataset": "cfd", "model": "unet", "seed": seed} for seed in (0, 1)]
    missing = [{"model": "pan", "seed": 0}]
    return transfer.Transfer(pd.DataFrame(rows, columns=transfer.TARGETS), counts, histograms, runs, missing)


def test_what_is_written_is_read(tmp_path: Path, results: transfer.Transfer) -> None:
    transfer.write(tmp_path, results)
    read = transfer.read(tmp_path)
    pd.testing.assert_frame_equal(read.targets, results.targets)
    assert np.array_equal(read.counts, results.counts)
    assert np.array_equal(read.histograms, results.histograms)
    assert (read.runs, read.missing) == (results.runs, results.missing)


def test_groups_are_pairs_of_dataset_and_condition(results: transfer.Transfer) -> None:
    assert transfer.group_of(results.targets).tolist() == [0, 0, 1, 2, 2]


def test_a_row_per_run_and_image(results: transfer.Transfer) -> None:
    frame = transfer.frame(results)
    assert len(frame) == 10
    row = frame[(frame["seed"] == 1) & (frame["item"] == "c")].iloc[0]
    tp, fp = results.counts[1, 2].tolist()
    assert (row["tp"], row["fp"], row["fn"], row["seen"]) == (tp, fp, 5 - tp, 1)


def test_counts_of_other_images_are_refused(tmp_path: Path, results: transfer.Transfer) -> None:
    transfer.write(tmp_path, results)
    files.write_csv(tmp_path / "targets.csv", results.targets[:-1])
    files.write_checksums(tmp_path)
    with pytest.raises(UserError, match=r"counts\.npz: counts \(2, 5, 2\), expected \(2, 4, 2\)"):
        transfer.read(tmp_path)


def test_histograms_of_other_groups_are_refused(tmp_path: Path, results: transfer.Transfer) -> None:
    transfer.write(tmp_path, results)
    files.write_csv(tmp_path / "targets.csv", results.targets.assign(condition="clean"))
    files.write_checksums(tmp_path)
    with pytest.raises(UserError, match="histograms"):
        transfer.read(tmp_path)


def test_a_changed_file_is_named(tmp_path: Path, results: transfer.Transfer) -> None:
    transfer.write(tmp_path, results)
    path = tmp_path / "targets.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",10,", ",11,"), encoding="utf-8")
    with pytest.raises(UserError, match=r"targets\.csv"):
        transfer.read(tmp_path)
