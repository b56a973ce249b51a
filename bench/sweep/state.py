"""Where the cells of a stage stand, from DVC and the ledger; record the finished ones."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError, shorten
from bench.sweep import cells, ledger, output, progress, slurm, view
from bench.sweep.attempt import Attempt, set_aside
from bench.sweep.cells import Cell
from bench.sweep.dvc_stage import DVC_STAGE
from bench.sweep.recorder import record

LEDGER = ".sweep"
"""Folder of the ledger in the project."""


@dataclass(frozen=True)
class StageState:
    """The stale cells of a stage by state, each with its last attempt.

    Attributes:
        count: number of selected cells, including those that are up to date.
        todo: never tried, changed since the last attempt, interrupted or lost.
        running: on this machine or another.
        failed: with no change since.
        done: computed, but not recorded with DVC yet.
        waiting: names of the cells that cannot run -> the stages that must run first.
    """

    count: int
    todo: list[tuple[Cell, Attempt]]
    running: list[tuple[Cell, Attempt]]
    failed: list[tuple[Cell, Attempt]]
    done: list[tuple[Cell, Attempt]]
    waiting: dict[str, list[str]]


def stage_state(root: Path, stage: str, names: Sequence[str] = ()) -> StageState:
    """Return the state of a stage.

    Raises:
        UserError: as ``sweep``.
    """
    folder = root / LEDGER
    jobs = slurm.jobs(folder)
    # Read the ledger before DVC: a cell that is recorded by then but stale afterwards must run again.
    before = {p.name: ledger.last(folder, p.name, jobs) for p in sorted(folder.glob("*@*"))}
    outdated, waiting, selected = cells.stale(root, stage, [_stage_name(stage, name) for name in names])
    for name in selected:
        for line in set_aside(before[name]) if name in before else ():
            print(f"Warning: {line}.", file=sys.stderr)
    state = StageState(len(selected), [], [], [], [], waiting)
    for cell in outdated:
        attempt = before.get(cell.name, Attempt(folder / cell.name, 0))
        is_same = attempt.fingerprint == cell.fingerprint
        if attempt.state == "running":
            state.running.append((cell, attempt))
        elif attempt.state == "done" and is_same and not attempt.recorded and _is_whole(root, cell, attempt):
            state.done.append((cell, attempt))
        elif attempt.state == "failed" and is_same:
            state.failed.append((cell, attempt))
        else:
            state.todo.append((cell, attempt))
    return state


def collect(root: Path, stage: str, names: Sequence[str] = ()) -> int:
    """Record finished cells with DVC; return how many.

    Raises:
        UserError: as ``sweep``.
    """
    done = stage_state(root, stage, names).done
    return record(root, done) if done else 0


def status(root: Path, stage: str, names: Sequence[str] = ()) -> str:
    """Return the state of every stale cell in words."""
    state = stage_state(root, stage, names)
    lines = [f"{cell.label}: running{_progress(a)}" for cell, a in state.running]
    lines += [f"{cell.label}: done, not recorded" for cell, _ in state.done]
    return "\n".join([*lines, summary(state) + describe_waiting(state.waiting) + describe_failed(state.failed)])


def _is_whole(root: Path, cell: Cell, attempt: Attempt) -> bool:
    """Return whether the output of a cell is whole and the one that this attempt wrote."""
    return output.matches(root / cell.target, attempt.output)


def _stage_name(stage: str, cell: str) -> str:
    """Return the name in dvc.yaml of a cell given as "cfd/unet/0" or by that name."""
    return cell if "@" in cell else f"{stage}@{cell.replace('/', '-')}"


def _progress(attempt: Attempt) -> str:
    facts = progress.read(attempt.log)
    parts = [f"epoch {facts.epoch}"] * bool(facts.epoch) + [f"IoU {facts.iou}"] * bool(facts.iou)
    parts += [f"{facts.images_per_s} images/s, {facts.left} left"] * bool(facts.left)
    return (f" as job {attempt.job}" if attempt.job else "") + (f": {', '.join(parts)}" if parts else "")


def refuse_while_swept(root: Path) -> None:
    """Refuse to train a cell in a stage of `dvc repro` while a sweep trains it, for example as a Slurm job.

    Raises:
        UserError: a sweep trains it.
    """
    name = os.environ.get(DVC_STAGE, "")
    folder = root / LEDGER
    if "@" in name and ledger.last(folder, name, slurm.jobs(folder)).state == "running":
        raise UserError(
            f"a sweep is training {name} now: wait until `bench sweep --status` shows it as done, then run "
            "`bench sweep --collect` and `dvc repro` again."
        )


def summary(state: StageState) -> str:
    """Return the numbers of cells by state."""
    rest = {
        "to do": state.todo,
        "running": state.running,
        "failed": state.failed,
        "not recorded": state.done,
        "waiting": state.waiting,
    }
    parts = [f"{len(some)} {name}" for name, some in rest.items() if some]
    up_to_date = state.count - sum(map(len, rest.values()))
    return f"{up_to_date} of {state.count} cells are up to date" + "".join(f", {p}" for p in parts) + "."


def describe_waiting(waiting: Mapping[str, list[str]]) -> str:
    """Return which cells cannot run, and what must run first."""
    if not waiting:
        return ""
    outdated = sorted(set().union(*waiting.values()))
    return (
        f"\n{shorten(list(waiting), 3)} cannot run: {shorten(outdated, 3)} not up to date; "
        f"run `dvc repro {' '.join(sorted({name.partition('@')[0] for name in outdated}))}` first."
    )


def describe_failed(failed: list[tuple[Cell, Attempt]]) -> str:
    """Return the failed cells with the ends of their logs."""
    return "\nFailed:\n" + view.failures(failed) if failed else ""
