"""Progress is read from what tqdm writes into a log."""

import io
from pathlib import Path

import pytest
from tqdm import tqdm

from bench.sweep.progress import BAR_FORMAT, Progress, read, tail


def test_the_last_line_of_a_real_bar_is_read(tmp_path: Path) -> None:
    out = io.StringIO()
    with tqdm(total=200, unit="image", desc="train", bar_format=BAR_FORMAT, file=out, mininterval=0) as bar:
        bar.update(20)
        bar.set_postfix({"epoch": "3", "loss": "0.5", "IoU": "0.4321"})
        bar.update(30)
    (tmp_path / "log").write_text("importing\n" + out.getvalue().replace("\r", "\n") + "\na later line\n")
    found = read(tmp_path / "log")
    assert (found.share, found.epoch, found.iou) == (0.25, "3", "0.4321")
    assert found.left


@pytest.mark.parametrize("text", ["", "Traceback\n", "train: x/y images\n"])
def test_where_nothing_is_known_all_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "log").write_text(text)
    assert read(tmp_path / "log") == Progress()


def test_tail_shows_the_last_state_of_a_progress_bar(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\rtrain: 0/4\rtrain: 4/4\nError: no\n")
    assert tail(log) == ["one", "train: 4/4", "Error: no"]
    assert tail(log, 1) == ["Error: no"]
    assert tail(tmp_path / "none") == []
