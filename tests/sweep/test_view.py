"""What a person sees of a sweep."""

import time
from pathlib import Path

import pytest

from bench.sweep import view
from bench.sweep.cells import Cell
from bench.sweep.ledger import Attempt
from bench.sweep.local import SweepState


def ended(folder: Path, name: str, state: str, why: str = "") -> tuple[Cell, Attempt]:
    made = Cell(f"train@{name}", ("train",), None, Path("runs") / name.replace("-", "/"), "f")
    return made, Attempt(folder / name, 1, "f", state, why, 61.5)  # type: ignore[arg-type]


def test_a_line_says_how_a_cell_ended(tmp_path: Path) -> None:
    assert view.describe(*ended(tmp_path, "cfd-unet-0", "failed", "no memory")) == (
        "cfd/unet/0 failed after 61.5 s: no memory"
    )


def test_failures_have_the_end_of_their_log(tmp_path: Path) -> None:
    pair = ended(tmp_path, "cfd-unet-0", "failed", "ValueError: x")
    pair[1].log.parent.mkdir()
    pair[1].log.write_text("".join(f"line {i}\n" for i in range(20)) + "ValueError: x\n")
    text = view.failures([pair])
    assert str(pair[1].log) in text
    assert "line 19" in text
    assert "line 3" not in text
    assert text.count("ValueError: x") == 1


def test_without_a_terminal_each_cell_has_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = SweepState([])
    with view.view() as show:
        show(state)
        state.ended.append(ended(tmp_path, "cfd-unet-0", "done"))
        show(state)
        show(state)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "[1/1] cfd/unet/0 done" in lines[0]


def test_the_time_left_follows_from_the_cells_that_ended(tmp_path: Path) -> None:
    state = SweepState([ended(tmp_path, f"cfd-unet-{i}", "lost") for i in range(3)])
    assert view.seconds_left(state) is None
    state.ended.append(ended(tmp_path, "cfd-fpn-0", "done"))
    state.began = time.monotonic() - 10
    assert view.seconds_left(state) == pytest.approx(30, abs=1)
