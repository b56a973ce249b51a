"""The sweep: stale cells -> ledger -> engine -> DVC. Safe to repeat: only stale cells run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import Interrupted, UserError, shorten
from bench.settings import section
from bench.sweep import cells, ledger, local, slurm, view
from bench.sweep.cells import Cell
from bench.sweep.estimate import longest_first
from bench.sweep.ledger import Attempt
from bench.sweep.slots import slots
from bench.sweep.worker import Command

LEDGER = ".sweep"
"""Folder of the ledger in the project."""


@dataclass(frozen=True)
class SweepSettings:
    """The section ``sweep`` of params.yaml.

    Attributes:
        jobs: parallel cells on this machine; None for as many as GPUs, or cores and memory, allow.
        per_gpu: cells that share a GPU.
        timeout_minutes: time limit of one cell; None for none.
        slurm: how jobs are submitted.
    """

    jobs: int | None
    per_gpu: int
    timeout_minutes: float | None
    slurm: slurm.SlurmSettings

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.per_gpu < 1 or (self.jobs is not None and self.jobs < 1):
            raise ValueError(f"jobs and per_gpu must be at least 1, got {self.jobs} and {self.per_gpu}")
        if self.timeout_minutes is not None and not 0 < self.timeout_minutes < float("inf"):
            raise ValueError(f"timeout_minutes must be above 0 or null, got {self.timeout_minutes}")


def with_options(params: Mapping[str, Any], options: Mapping[str, Any]) -> SweepSettings:
    """Return the section ``sweep`` of params.yaml, overridden by the options of the command line."""
    chosen = {key: value for key, value in options.items() if value is not None}
    content = {**params["sweep"], **{k: v for k, v in chosen.items() if k in params["sweep"]}}
    content["slurm"] = {**content["slurm"], **{k: v for k, v in chosen.items() if k in content["slurm"]}}
    return section({"sweep": content}, "sweep", SweepSettings)


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


def sweep(
    root: Path,
    settings: SweepSettings,
    command: Command,
    engine: Literal["local", "slurm"] = "local",
    stage: str = "train",
    names: Sequence[str] = (),
    retry_failed: bool = False,
    keep_record: bool = True,
) -> str:
    """Run the stale cells of a stage and record them with DVC; return a summary in words.

    Args:
        root: the project.
        settings: the section ``sweep`` of params.yaml.
        command: runs the arguments of a command line, in the process of a cell.
        engine: "local" waits until all cells have ended; "slurm" submits and returns.
        stage: name of a matrix stage of dvc.yaml.
        names: run only these cells; empty: all.
        retry_failed: also run cells that failed and did not change since.
        keep_record: record finished cells with DVC at the end.

    Raises:
        UserError: DVC is busy, a name is unknown, or cells failed or wait for their data; all other cells were run.
        Interrupted: SIGINT or SIGTERM; cells were stopped gracefully and resume in the next sweep.
    """
    view.print_in_terminal("asking DVC which cells are stale ...")
    before = stage_state(root, stage, names)
    todo = longest_first(root, before.todo + (before.failed if retry_failed else []))
    if engine == "slurm":
        submitted = slurm.submit(root, root / LEDGER, todo, settings.slurm, settings.timeout_minutes, command)
        if keep_record:
            collect(root, stage, names)
        return _closing(stage_state(root, stage, names), f"{submitted} cells submitted.", is_over=False)
    state = local.SweepState(todo)
    timeout_s = None if settings.timeout_minutes is None else 60 * settings.timeout_minutes
    with view.view() as show:
        number = (
            local.run_cells(root, state, slots(settings.jobs, settings.per_gpu), timeout_s, show, command)
            if todo
            else 0
        )
    if keep_record:
        collect(root, stage, names)
    if number:
        raise Interrupted(f"stopped, {len(state.todo)} cells not started: `bench sweep` resumes.", number)
    states = Counter(attempt.state for _, attempt in state.ended)
    return _closing(stage_state(root, stage, names), f"{states['done']} cells done in this sweep.", is_over=True)


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
    state = StageState(len(selected), [], [], [], [], waiting)
    for cell in outdated:
        attempt = before.get(cell.name, Attempt(folder / cell.name, 0))
        is_same = attempt.fingerprint == cell.fingerprint
        if attempt.state == "running":
            state.running.append((cell, attempt))
        elif attempt.state == "done" and is_same and not attempt.recorded and (root / cell.target).exists():
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
    changed = set(cells.record(root, {cell.name: attempt.fingerprint for cell, attempt in done})) if done else set()
    for cell, attempt in done:
        if cell.name not in changed:
            ledger.mark_recorded(attempt)
    return len(done) - len(changed)


def status(root: Path, stage: str, names: Sequence[str] = ()) -> str:
    """Return the state of every stale cell in words."""
    state = stage_state(root, stage, names)
    lines = [f"{cell.label}: running{_progress(a)}" for cell, a in state.running]
    lines += [f"{cell.label}: done, not recorded" for cell, _ in state.done]
    return "\n".join([*lines, _summary(state) + _waiting(state.waiting) + _failed(state.failed)])


def _stage_name(stage: str, cell: str) -> str:
    """Return the name in dvc.yaml of a cell given as "cfd/unet/0" or by that name."""
    return cell if "@" in cell else f"{stage}@{cell.replace('/', '-')}"


def _progress(attempt: Attempt) -> str:
    from bench.sweep import progress

    facts = progress.read(attempt.log)
    parts = [f"epoch {facts.epoch}"] * bool(facts.epoch) + [f"IoU {facts.iou}"] * bool(facts.iou)
    parts += [f"{facts.images_per_s} images/s, {facts.left} left"] * bool(facts.left)
    return (f" as job {attempt.job}" if attempt.job else "") + (f": {', '.join(parts)}" if parts else "")


def _closing(state: StageState, what: str, is_over: bool) -> str:
    """Return the closing message of a sweep.

    Raises:
        UserError: cells cannot run or, if the sweep is over, have failed.
    """
    line = f"{what} {_summary(state)}{_waiting(state.waiting)}"
    if state.failed and is_over:
        raise UserError(f"{line}{_failed(state.failed)}Fix the cause, then run `bench sweep --retry-failed`.")
    if state.waiting:
        raise UserError(line)
    return line


def _summary(state: StageState) -> str:
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


def _waiting(waiting: Mapping[str, list[str]]) -> str:
    """Return which cells cannot run, and what must run first."""
    if not waiting:
        return ""
    outdated = sorted(set().union(*waiting.values()))
    return (
        f"\n{shorten(list(waiting), 3)} cannot run: {shorten(outdated, 3)} not up to date; "
        f"run `dvc repro {' '.join(sorted({name.partition('@')[0] for name in outdated}))}` first."
    )


def _failed(failed: list[tuple[Cell, Attempt]]) -> str:
    return "\nFailed:\n" + view.failures(failed) if failed else ""
