"""A damaged file of the ledger concerns its own cell alone, is named once, and a whole run is still found."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.formats import files
from bench.sweep import cells, ledger, output, slurm
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.state import LEDGER, stage_state

DEAD = {"host": "", "pid": 1, "started": 0.0}


def write(content: str) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.write_text(content)

    return put


def half(path: Path) -> None:
    text = path.read_text()
    write(text[: len(text) // 2])(path)


def other_digit(path: Path) -> None:
    text = path.read_text()
    at = next(i for i, c in enumerate(text) if c.isdecimal())
    write(text[:at] + str(9 - int(text[at])) + text[at + 1 :])(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").touch()


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "removed": Path.unlink,
    "emptied": write(""),
    "half": half,
    "garbage": write("\x00\x01garbage\n"),
    "another digit": other_digit,
    "a list": write("[1, 2]"),
    "no keys": write("{}"),
    "wrong types": write('{"fingerprint": 1, "owner": 2, "state": 3, "why": 4, "seconds": "5"}'),
    "unknown state": write('{"fingerprint": "f", "owner": {}, "state": "odd", "why": "", "seconds": 1}'),
    "a huge number": write('{"fingerprint": "f", "owner": {"host": "", "pid": 1e400}, "seconds": 1e400}'),
    "deep nesting": write("[" * 100_000),
    "a folder": folder,
    "a dangling link": dangling,
    "a pipe": pipe,
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with a finished and a failed cell, unknown to DVC, one that dvc.yaml no longer has, and a new one."""
    names = ("done", "failed", "new")
    stale = [Cell(f"train@{name}", ("train",), None, Path("runs") / name, "f") for name in names]
    monkeypatch.setattr(cells, "stale", lambda *_: (stale, {}, [c.name for c in stale]))
    monkeypatch.setattr(slurm, "jobs", lambda _: frozenset())
    for name in ("done", "failed", "gone"):
        attempt = ledger.claim(ledger.last(tmp_path / LEDGER, f"train@{name}"), "f")
        assert attempt
        claimed = json.loads(attempt.path("claim").read_text())
        host = claimed["owner"]["host"]
        files.write_json(attempt.path("claim"), files.with_checksum(claimed | {"owner": DEAD | {"host": host}}))
        files.write_json(attempt.path("child"), files.with_checksum(DEAD | {"host": host}))
        run = tmp_path / "runs" / name
        if name == "done":
            run.mkdir(parents=True)
            (run / "weights").write_text("weights")
            files.write_checksums(run)
            ledger.end(attempt, "done", "", 1.0, output.digest(run))
        else:
            ledger.end(attempt, "failed", "old failure", 1.0)
    return tmp_path


def states(project: Path) -> dict[str, str]:
    state = stage_state(project, "train")
    kinds = {"to do": state.todo, "running": state.running, "failed": state.failed, "done": state.done}
    return {cell.label: kind for kind, listed in kinds.items() for cell, _ in listed}


def test_undamaged_cells_stand_as_they_ended(project: Path) -> None:
    assert states(project) == {"done": "done", "failed": "failed", "new": "to do"}


@pytest.mark.parametrize("suffix", ["claim", "end", "child", "done"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_finished_run_is_found_whatever_file_is_damaged(
    project: Path, kind: str, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / LEDGER / "train@done" / f"001.{suffix}"
    DAMAGE[kind](path)
    assert states(project) == {"done": "done", "failed": "failed", "new": "to do"}
    said = capsys.readouterr().err
    assert said.count(str(path)) == (
        kind != "removed" and suffix != "done"
    )  # the copy is not read: its original is whole
    assert "Error" not in said
    assert states(project)["done"] == "done"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["claim", "end"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_failed_cell_whose_end_is_unknown_runs_again_and_counts_anew(project: Path, kind: str, suffix: str) -> None:
    DAMAGE[kind](project / LEDGER / "train@failed" / f"001.{suffix}")
    assert states(project) == {"done": "done", "failed": "to do", "new": "to do"}

    again = ledger.claim(ledger.last(project / LEDGER, "train@failed"), "f")
    assert again
    assert again.number == 2
    assert ledger.last(project / LEDGER, "train@failed").state == "running"
    ledger.end(again, "failed", "new failure", 1.0)
    assert ledger.last(project / LEDGER, "train@failed").why == "new failure"


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_cell_that_is_in_the_pipeline_no_more_is_not_mentioned(
    project: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGE[kind](project / LEDGER / "train@gone" / "001.claim")
    assert states(project) == {"done": "done", "failed": "failed", "new": "to do"}
    assert capsys.readouterr().err == ""


def test_an_end_of_another_claim_is_not_taken_for_this_one(project: Path) -> None:
    """The claim was removed, and an earlier version took its number again."""
    place = project / LEDGER / "train@failed"
    (place / "001.claim").unlink()
    again = ledger.claim(Attempt(place, 0), "f")
    assert again
    assert ledger.ended(again) is None
    run = project / "runs" / "failed"
    shutil.copytree(project / "runs" / "done", run)
    assert ledger.end(again, "done", "", 1.0, output.digest(run)).state == "done"
    assert states(project)["failed"] == "done"


@pytest.mark.parametrize("put", [lambda path: path.write_text("x"), lambda path: path.symlink_to("nowhere")])
def test_garbage_in_place_of_a_cells_folder_is_moved_aside(
    project: Path, put: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    put(project / LEDGER / "train@new")
    assert states(project)["new"] == "to do"
    assert "train@new is not a folder; moved to train@new.damaged-" in capsys.readouterr().err
    assert ledger.claim(ledger.last(project / LEDGER, "train@new"), "f")


def test_a_live_cell_is_not_trained_beside_whatever_is_damaged(project: Path) -> None:
    for suffix in ("claim", "child"):
        attempt = ledger.claim(ledger.last(project / LEDGER, "train@new"), "f")
        assert attempt
        ledger.mark_child(attempt)
        attempt.path(suffix).write_text("x")
        assert states(project)["new"] == "running"
        assert states(project)["new"] == "running"
        ledger.heartbeat(attempt)  # does not need the file
        ledger.end(attempt, "failed", "", 1.0)
        attempt.path("child").unlink(missing_ok=True)


def test_a_run_from_elsewhere_is_not_taken_for_that_of_the_attempt(project: Path) -> None:
    run = project / "runs" / "done"
    (run / "weights").write_text("of other settings, put back by `dvc checkout`")
    files.write_checksums(run)
    assert states(project)["done"] == "to do"
