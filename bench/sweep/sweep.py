"""The sweep: stale cells -> ledger -> engine -> DVC. Safe to repeat: only stale cells run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import Interrupted, UserError
from bench.settings import section
from bench.sweep import cells, local, repository, slurm, view
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.dvc_stage import Command
from bench.sweep.estimate import longest_first
from bench.sweep.recorder import Recorder
from bench.sweep.slots import slots
from bench.sweep.state import LEDGER, StageState, collect, describe_failed, describe_waiting, stage_state, summary


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
    restored = set(cells.restore(root, [cell.name for cell, _ in before.todo])) if keep_record else set()
    todo = [pair for pair in before.todo + (before.failed if retry_failed else []) if pair[0].name not in restored]
    todo = longest_first(root, todo)
    what = f"{len(restored)} cells restored from DVC's cache. " if restored else ""
    state, number = local.SweepState([]), 0
    with repository.hold(root, [p for cell, _ in todo for p in (cell.target, cell.source) if p]):
        if engine == "slurm":
            task = slurm.Task(root, [], settings.timeout_minutes, command, keep_record)
            submitted = slurm.submit(root / LEDGER, todo, settings.slurm, task)
            what += f"{submitted} cells submitted."
        else:
            state, number = _run(root, todo, settings, command, keep_record)
            what += f"{sum(attempt.state == 'done' for _, attempt in state.ended)} cells done in this sweep."
        if keep_record:
            collect(root, stage, names)
    if number:
        raise Interrupted(f"stopped, {len(state.todo)} cells not started: `bench sweep` resumes.", number)
    if refused := [attempt.why for _, attempt in state.ended if not attempt.claim_id]:
        raise UserError(f"{what} {len(refused)} cells could not be started: {refused[0]}")
    left = [f"{cell.label}: {attempt.why}" for cell, attempt in state.ended if attempt.state == "interrupted"]
    return _closing(stage_state(root, stage, names), what, left, is_over=engine == "local")


def _run(
    root: Path, todo: list[tuple[Cell, Attempt]], settings: SweepSettings, command: Command, keep_record: bool
) -> tuple[local.SweepState, int]:
    """Run cells on this machine; return how they ended, and the number of the signal that stopped the sweep, or 0."""
    state = local.SweepState(todo)
    timeout_s = None if settings.timeout_minutes is None else 60 * settings.timeout_minutes
    places = slots(settings.jobs, settings.per_gpu)
    with view.view() as show:
        shown = Recorder(root, show) if keep_record else show
        number = local.run_cells(root, state, places, timeout_s, shown, command) if todo else 0
    return state, number


def _closing(state: StageState, what: str, left: list[str], is_over: bool) -> str:
    """Return the closing message of a sweep; ``left``: its cells that were interrupted, with the reason.

    Raises:
        UserError: cells cannot run or were interrupted or, if the sweep is over, have failed.
    """
    line = f"{what} {summary(state)}{describe_waiting(state.waiting)}"
    if state.failed and is_over:
        raise UserError(f"{line}{describe_failed(state.failed)}Fix the cause, then run `bench sweep --retry-failed`.")
    if left:
        raise UserError("\n".join([f"{line}\nNot finished; `bench sweep` resumes:", *left]))
    if state.waiting:
        raise UserError(line)
    return line
