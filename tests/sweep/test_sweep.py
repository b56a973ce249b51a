"""Settings of a sweep, and where the cells of a stage stand, with DVC and Slurm replaced."""

from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.settings import load_params
from bench.sweep import cells, ledger, slurm
from bench.sweep.cells import Cell
from bench.sweep.sweep import LEDGER, collect, stage_state, status, with_options

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")


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
        ledger.end(claimed, state, "why", 1.0)  # type: ignore[arg-type]


def test_cells_stand_by_their_last_attempt(tmp_path: Path, outdated: list[Cell]) -> None:
    outdated += [cell(name) for name in ("new", "running", "failed", "changed", "done", "interrupted", "lost_output")]
    for of in outdated[1:]:
        state = {"running": None, "changed": "failed", "lost_output": "done"}.get(of.name[6:], of.name[6:])
        attempt(tmp_path, of, state, "other" if of.name == "train@changed" else "f")
    (tmp_path / "runs" / "done").mkdir(parents=True)
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
    (tmp_path / "runs" / "done").mkdir(parents=True)
    recorded: list[dict[str, str]] = []
    monkeypatch.setattr(cells, "record", lambda _, fingerprints: recorded.append(dict(fingerprints)) or [])
    assert collect(tmp_path, "train") == 1
    assert collect(tmp_path, "train") == 0
    assert recorded == [{"train@done": "f"}]


def test_the_command_line_replaces_settings_at_both_levels() -> None:
    settings = with_options(PARAMS, {"jobs": 3, "gres": "gpu:2", "partition": None})
    assert (settings.jobs, settings.slurm.gres) == (3, "gpu:2")
    assert settings.slurm.partition == PARAMS["sweep"]["slurm"]["partition"]
    assert settings.per_gpu == PARAMS["sweep"]["per_gpu"]


@pytest.mark.parametrize(
    ("key", "value"), [("jobs", 0), ("per_gpu", 0), ("timeout_minutes", 0.0), ("cpus", 0), ("cells_per_job", 0)]
)
def test_a_value_out_of_range_is_refused_by_key(key: str, value: float) -> None:
    with pytest.raises(UserError, match=key):
        with_options(PARAMS, {key: value})
