"""Cells are recorded while the sweep runs, and never at its expense."""

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.sweep import cells, recorder
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.local import SweepState
from bench.sweep.recorder import Recorder


def ended(name: str, state: str = "done") -> tuple[Cell, Attempt]:
    return Cell(f"train@{name}", (), None, Path(name), "f"), Attempt(Path(name), 1, "f", state)  # type: ignore[arg-type]


def test_each_done_cell_is_recorded_once_and_soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorded: list[list[str]] = []
    clock = [0.0]

    def record(root: Path, fingerprints: dict[str, str], outputs: dict[str, str], wait_s: float) -> list[str]:
        if clock[0] == 100:
            raise UserError("DVC is busy")
        recorded.append(list(fingerprints))
        clock[0] += 2  # it takes two seconds
        return []

    monkeypatch.setattr(cells, "record", record)
    monkeypatch.setattr(recorder.time, "monotonic", lambda: clock[0])
    shown: list[SweepState] = []
    state, record_ended = SweepState([]), Recorder(tmp_path, shown.append)

    record_ended(state)
    assert recorded == []
    state.ended += [ended("a"), ended("b", "failed")]
    record_ended(state)
    assert recorded == [["train@a"]]
    state.ended.append(ended("c"))
    record_ended(state)
    assert recorded == [["train@a"]]  # not yet: it was just done
    clock[0] += 2 * recorder.PAUSE
    record_ended(state)
    assert recorded == [["train@a"], ["train@c"]]

    state.ended.append(ended("d"))
    clock[0] = 100
    record_ended(state)
    assert len(recorded) == 2
    clock[0] = 200
    record_ended.flush(state)
    assert recorded[2:] == [["train@d"]]
    record_ended.flush(state)
    assert len(recorded) == 3
    assert len(shown) == 5
