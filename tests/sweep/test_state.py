"""Where the cells of a stage stand, with DVC and Slurm replaced."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.formats import files
from bench.sweep import cells, ledger, output, slurm
from bench.sweep.cells import Cell
from bench.sweep.state import LEDGER, collect, stage_state, status


def cell(name: str, fingerprint: str = "f") -> Cell:
    return Cell(f"train@{name}", ("train",), None, Path("runs") / name, fingerprint)


@pytest.fixture
def outdated(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Return the cells that DVC calls stale; tests fill it."""
    listed: list[Cell] = []
    monkeypatch.setattr(cells, "stale", lambda *_: (listed, {}, [c.name for c in listed] + ["train@fresh"]))
    monkeypatch.setattr(slurm, "jobs", lambda _: frozenset())
    return listed


def attempt(root: Path, of: Cell, state: str | None, fingerprint: str = "f") -> None:
    claimed = ledger.claim(ledger.last(root / LEDGER, of.name), fingerprint)
    assert claimed is not None
    if state:
        found = write_output(root, of) if state == "done" else ""
        ledger.end(claimed, state, "why", 1.0, found)  # type: ignore[arg-type]


def write_output(root: Path, of: Cell) -> str:
    """Write a run of this cell; return its digest."""
    (root / of.target).mkdir(parents=True, exist_ok=True)
    (root / of.target / "weights").write_text(of.name)
    files.write_checksums(root / of.target)
    return output.digest(root / of.target)


def test_cells_stand_by_their_last_attempt(tmp_path: Path, outdated: list[Cell]) -> None:
    outdated += [cell(name) for name in ("new", "running", "failed", "changed", "done", "interrupted", "lost_output")]
    for of in outdated[1:]:
        state = {"running": None, "changed": "failed", "lost_output": "done"}.get(of.name[6:], of.name[6:])
        attempt(tmp_path, of, state, "other" if of.name == "train@changed" else "f")
    shutil.rmtree(tmp_path / "runs" / "lost_output")
    standing = stage_state(tmp_path, "train")

    def names(some: list[tuple[Cell, Any]]) -> set[str]:
        return {c.name[6:] for c, _ in some}

    assert names(standing.todo) == {"new", "changed", "interrupted", "lost_output"}
    assert names(standing.running) == {"running"}
    assert names(standing.failed) == {"failed"}
    assert names(standing.done) == {"done"}
    assert standing.count == 8
    assert "1 of 8 cells" in status(tmp_path, "train")


def test_done_cells_are_recorded_once(tmp_path: Path, outdated: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    outdated.append(cell("done"))
    attempt(tmp_path, outdated[0], "done")
    recorded: list[dict[str, str]] = []
    monkeypatch.setattr(cells, "record", lambda _, fingerprints, *rest: recorded.append(dict(fingerprints)) or [])
    assert collect(tmp_path, "train") == 1
    assert collect(tmp_path, "train") == 0
    assert recorded == [{"train@done": "f"}]
