"""The process that runs a cell, piece by piece."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.formats.lock import exclusive

ROOT = Path(__file__).parents[2]
SCORE = Path("/proc/self/oom_score_adj")
CODE = f"""
from pathlib import Path
from bench.sweep import worker
score = Path("{SCORE}")
score.write_text("BEFORE")
worker._prefer_for_oom_kill()
print(score.read_text())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's score is Linux's")
@pytest.mark.parametrize("before", [300, 800])
def test_the_kernel_s_score_rises_only(before: int) -> None:
    before = max(before, int(SCORE.read_text()))
    code = CODE.replace("BEFORE", str(before))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == max(before, 500)


RUN = """
import os, sys
from pathlib import Path
from bench.errors import UserError
from bench.formats import files
from bench.sweep import ledger, worker
from bench.sweep.cells import Cell
from bench.sweep.slots import Slot

def main(arguments):
    run = Path("runs/a")
    assert not run.exists(), "the earlier output is still there"
    for part in arguments:
        exec(part)

def refuse(*arguments):
    raise UserError("a disk is full")

root = Path(sys.argv[1])
cell = Cell("train@a", tuple(sys.argv[2:]), None, Path("runs/a"), "f")
attempt = ledger.claim(ledger.last(root / ".sweep", cell.name), cell.fingerprint)
worker.run_cell(root, cell, attempt, Slot(None, 1), main)
"""
WRITE, SEAL = "run.mkdir(); (run / 'w').write_text('1')", "files.write_checksums(run)"


def run(project: Path, parts: tuple[str, ...]) -> tuple[int, dict[str, str]]:
    """Run a cell in a process of its own; return its exit status and what the ledger says of its end."""
    command = [sys.executable, "-c", RUN, str(project), *parts]
    done = subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=120)
    end = project / ".sweep" / "train@a" / "001.end"
    return done.returncode, json.loads(end.read_text()) if end.exists() else {}


@pytest.mark.parametrize(
    ("parts", "state", "why"),
    [
        ((WRITE, SEAL), "done", ""),
        ((WRITE, SEAL, "sys.exit(0)"), "done", ""),
        (("sys.exit(0)",), "failed", "its command exited with status 0, but runs/a was not written"),
        ((WRITE, "sys.exit(0)"), "failed", "its command exited with status 0, but runs/a is unfinished"),
        ((WRITE, SEAL, "(run / 'w').write_text('2')"), "failed", "but runs/a/w is damaged"),
    ],
)
def test_done_is_what_has_a_whole_run(tmp_path: Path, parts: tuple[str, ...], state: str, why: str) -> None:
    earlier = tmp_path / "runs" / "a"
    earlier.mkdir(parents=True)
    (earlier / "w").touch()
    status, ended = run(tmp_path, parts)
    assert ended["state"] == state
    assert why in ended["why"]
    assert bool(status) == (state == "failed")
    assert bool(ended["output"]) == (state == "done")


def test_a_ledger_that_cannot_be_written_at_the_end_is_one_line(tmp_path: Path) -> None:
    status, ended = run(tmp_path, (WRITE, SEAL, "ledger.end = refuse"))
    assert (status, ended) == (1, {})
    assert (tmp_path / ".sweep" / "train@a" / "001.log").read_text() == "Error: a disk is full\n"


def test_a_target_that_another_process_trains_keeps_its_files(tmp_path: Path) -> None:
    earlier = tmp_path / "runs" / "a"
    earlier.mkdir(parents=True)
    (earlier / "w").write_text("of the other")
    with exclusive(earlier):
        status, ended = run(tmp_path, (WRITE, SEAL))
    assert (status, ended["state"]) == (1, "interrupted")  # the next sweep tries it again
    assert (earlier / "w").read_text() == "of the other"
    log = (tmp_path / ".sweep" / "train@a" / "001.log").read_text()
    assert log.startswith(f"Error: {earlier}: process {os.getpid()} on ")
    assert log == f"Error: {ended['why']}\n"
    assert len(log.splitlines()) == 1
