"""The sweep: stale cells -> ledger -> engine -> DVC. Run it as often as you like: only what is left is run."""

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
        jobs: cells at a time on this machine; None for what GPUs, or cores and memory, allow.
        per_gpu: cells that share a GPU.
        timeout_minutes: of one cell; None for no limit.
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
    """Return the section ``sweep`` of params.yaml with what the command line says instead."""
    chosen = {key: value for key, value in options.items() if value is not None}
    content = {**params["sweep"], **{k: v for k, v in chosen.items() if k in params["sweep"]}}
    content["slurm"] = {**content["slurm"], **{k: v for k, v in chosen.items() if k in content["slurm"]}}
    return section({"sweep": content}, "sweep", SweepSettings)


@dataclass(frozen=True)
class StageState:
    """The stale cells of a stage, each with its last attempt, by what is to be done about them.

    Attributes:
        count: cells of the stage, fresh ones too.
        todo: never tried, changed since, interrupted or lost.
        running: now, here or elsewhere. failed: with nothing changed since. done: and not recorded yet.
        waiting: names of those that cannot run, and of the stages that must run before.
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
    """Run what is left of a stage and record it with DVC; return what was done, for a person to read.

    Args:
        root: the project.
        settings: how many at a time, and where.
        command: runs the arguments of a command line, in the process of a cell.
        engine: "local" waits until all is done; "slurm" submits and returns.
        stage: of dvc.yaml, a matrix.
        names: of cells, to run only these.
        retry_failed: run those too that failed and did not change since.
        keep_record: tell DVC at the end.

    Raises:
        UserError: DVC is busy, a name is unknown, or cells failed or wait for their data; the others were run.
        Interrupted: SIGINT or SIGTERM; cells were ended in order and go on next time.
    """
    view.tell("asking DVC which cells are stale ...")
    standing = stand(root, stage, names)
    todo = longest_first(root, standing.todo + (standing.failed if retry_failed else []))
    if engine == "slurm":
        submitted = slurm.submit(root, root / LEDGER, todo, settings.slurm, settings.timeout_minutes, command)
        if keep_record:
            collect(root, stage, names)
        return _closing(stand(root, stage, names), f"{submitted} cells submitted.", is_over=False)
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
        raise Interrupted(f"stopped, {len(state.todo)} cells not begun: `bench sweep` goes on.", number)
    states = Counter(attempt.state for _, attempt in state.ended)
    return _closing(stand(root, stage, names), f"{states['done']} cells done in this sweep.", is_over=True)


def stand(root: Path, stage: str, names: Sequence[str] = ()) -> StageState:
    """Return where a stage stands.

    Raises:
        UserError: as ``sweep``.
    """
    folder = root / LEDGER
    jobs = slurm.jobs(folder)
    # The ledger before DVC: an attempt seen as recorded here, of a cell that DVC calls stale after, ran in vain.
    before = {p.name: ledger.last(folder, p.name, jobs) for p in sorted(folder.glob("*@*"))}
    outdated, waiting, asked = cells.stale(root, stage, [_stage_name(stage, name) for name in names])
    standing = StageState(len(asked), [], [], [], [], waiting)
    for cell in outdated:
        attempt = before.get(cell.name, Attempt(folder / cell.name, 0))
        is_same = attempt.fingerprint == cell.fingerprint
        if attempt.state == "running":
            standing.running.append((cell, attempt))
        elif attempt.state == "done" and is_same and not attempt.recorded and (root / cell.target).exists():
            standing.done.append((cell, attempt))
        elif attempt.state == "failed" and is_same:
            standing.failed.append((cell, attempt))
        else:
            standing.todo.append((cell, attempt))
    return standing


def collect(root: Path, stage: str, names: Sequence[str] = ()) -> int:
    """Record with DVC what is computed; return how many cells.

    Raises:
        UserError: as ``sweep``.
    """
    done = stand(root, stage, names).done
    changed = set(cells.record(root, {cell.name: attempt.fingerprint for cell, attempt in done})) if done else set()
    for cell, attempt in done:
        if cell.name not in changed:
            ledger.mark_recorded(attempt)
    return len(done) - len(changed)


def status(root: Path, stage: str, names: Sequence[str] = ()) -> str:
    """Return where every stale cell stands, for a person to read."""
    standing = stand(root, stage, names)
    lines = [f"{cell.label}: running{_where(a)}" for cell, a in standing.running]
    lines += [f"{cell.label}: done, not recorded" for cell, _ in standing.done]
    return "\n".join([*lines, _summary(standing) + _waiting(standing.waiting) + _failed(standing.failed)])


def _stage_name(stage: str, cell: str) -> str:
    """Return the name in dvc.yaml of a cell given as "cfd/unet/0", or by that name."""
    return cell if "@" in cell else f"{stage}@{cell.replace('/', '-')}"


def _where(attempt: Attempt) -> str:
    from bench.sweep import progress

    facts = progress.read(attempt.log)
    parts = [f"epoch {facts.epoch}"] * bool(facts.epoch) + [f"IoU {facts.iou}"] * bool(facts.iou)
    parts += [f"{facts.images_per_s} images/s, {facts.left} left"] * bool(facts.left)
    return (f" as job {attempt.job}" if attempt.job else "") + (f": {', '.join(parts)}" if parts else "")


def _closing(standing: StageState, what: str, is_over: bool) -> str:
    """Return what was done.

    Raises:
        UserError: cells failed, if it is over, or wait.
    """
    line = f"{what} {_summary(standing)}{_waiting(standing.waiting)}"
    if standing.failed and is_over:
        raise UserError(f"{line}{_failed(standing.failed)}Mend the cause, then `bench sweep --retry-failed`.")
    if standing.waiting:
        raise UserError(line)
    return line


def _summary(standing: StageState) -> str:
    """Return the counts."""
    rest = {
        "to do": standing.todo,
        "running": standing.running,
        "failed": standing.failed,
        "not recorded": standing.done,
        "waiting": standing.waiting,
    }
    parts = [f"{len(some)} {name}" for name, some in rest.items() if some]
    fresh = standing.count - sum(map(len, rest.values()))
    return f"{fresh} of {standing.count} cells are up to date" + "".join(f", {p}" for p in parts) + "."


def _waiting(waiting: Mapping[str, list[str]]) -> str:
    """Return which cells cannot run, and what must run before."""
    if not waiting:
        return ""
    unfit = sorted(set().union(*waiting.values()))
    return (
        f"\n{shorten(list(waiting), 3)} cannot run: {shorten(unfit, 3)} not up to date; "
        f"run `dvc repro {' '.join(sorted({name.partition('@')[0] for name in unfit}))}` first."
    )


def _failed(failed: list[tuple[Cell, Attempt]]) -> str:
    return "\nFailed:\n" + view.failures(failed) if failed else ""
