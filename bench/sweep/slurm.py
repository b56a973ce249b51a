"""Run cells as Slurm job arrays, through submitit: submit and detach. The ledger, not the scheduler, is the record."""

import getpass
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.sweep import ledger, local
from bench.sweep.cells import Cell
from bench.sweep.ledger import Attempt
from bench.sweep.slots import slots
from bench.sweep.worker import Command

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

JOBS = "jobs"
"""Folder in the ledger for what submitit writes."""

ARRAY_SIZE = 1000
"""Tasks of one array: Slurm's MaxArraySize is 1001 unless configured."""

TIMEOUTS = 1000
"""How often a job that reaches its time limit is queued again; each time it goes on from its checkpoint."""

FIRST_SIGN_S = 90
"""Before its time limit a job is told to write a checkpoint and to queue again."""

KILLED_WITHIN_S = 300


@dataclass(frozen=True)
class SlurmSettings:
    """How jobs are submitted: the section ``sweep.slurm`` of params.yaml.

    Attributes:
        partition: None for the cluster's default; likewise account.
        account: who pays.
        time_minutes: limit of one job; one that reaches it goes on in another.
        gres: such as "gpu:1"; None for none.
        cpus: cores of one job.
        memory_gb: of one job; None for the cluster's default.
        max_parallel: jobs at a time.
        cells_per_job: run one after the other, which saves the imports.
        extra: further options of sbatch, by their long names.
    """

    partition: str | None
    account: str | None
    time_minutes: int
    gres: str | None
    cpus: int
    memory_gb: int | None
    max_parallel: int
    cells_per_job: int
    extra: dict[str, str | int]

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("time_minutes", "cpus", "max_parallel", "cells_per_job"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


@dataclass
class Task:
    """What one job runs; submitit calls it, and its ``checkpoint`` before the time limit.

    Attributes:
        root: the project.
        chunk: cells and their attempts, claimed when they were submitted.
        timeout_minutes: of each cell.
        command: runs a cell's command line.
    """

    root: Path
    chunk: list[tuple[Cell, Attempt]]
    timeout_minutes: float | None
    command: Command
    state: local.SweepState = field(default_factory=lambda: local.SweepState([]))

    def __call__(self) -> None:
        """Run the cells that are still ours and not over."""
        self.state.todo = [(cell, attempt) for cell, attempt in self.chunk if _is_due(attempt)]
        timeout_s = None if self.timeout_minutes is None else 60 * self.timeout_minutes
        if local.run_cells(self.root, self.state, slots(1, 1), timeout_s, _ignore, self.command, is_ours=True):
            time.sleep(
                KILLED_WITHIN_S
            )  # SIGTERM came from Slurm, which queues again only a job that did not end itself

    def checkpoint(self) -> "DelayedSubmission":
        """End the running cell in order, and return what the job does when it starts again."""
        from submitit.helpers import DelayedSubmission

        local.stop(self.state)
        return DelayedSubmission(Task(self.root, self.chunk, self.timeout_minutes, self.command))


def submit(
    root: Path,
    folder: Path,
    todo: Sequence[tuple[Cell, Attempt]],
    settings: SlurmSettings,
    timeout_minutes: float | None,
    command: Command,
) -> int:
    """Claim cells and submit them; return how many: what another sweep claimed first is left out.

    Raises:
        UserError: Slurm is not there or refuses; nothing stays claimed.
    """
    ours = [(cell, claimed) for cell, last in todo if (claimed := ledger.claim(last, cell.fingerprint))]
    size = settings.cells_per_job
    chunks = [ours[i : i + size] for i in range(0, len(ours), size)]
    for i in range(0, len(chunks), ARRAY_SIZE):
        part = chunks[i : i + ARRAY_SIZE]
        try:
            numbers = _send(root, folder, part, settings, timeout_minutes, command)
        except Exception as error:
            for chunk in chunks[i:]:
                for _, attempt in chunk:
                    ledger.end(attempt, "interrupted", "not submitted", 0)
            reason = " ".join(str(getattr(error, "stderr", "") or error).split())
            raise UserError(f"Slurm did not take the jobs: {reason}. Submitted before: {i * size} cells.") from error
        for number, chunk in zip(numbers, part, strict=True):
            for _, attempt in chunk:
                ledger.mark_job(attempt, number)
    return len(ours)


def jobs(folder: Path) -> frozenset[str] | None:
    """Return the jobs of this user that are queued or run, as "12" or "12_3"; None where Slurm does not answer.

    Slurm is asked only if something was ever submitted.
    """
    if not (folder / JOBS).is_dir():
        return frozenset()
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--user={getpass.getuser()}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return frozenset(done.stdout.split())


def _send(
    root: Path,
    folder: Path,
    chunks: list[list[tuple[Cell, Attempt]]],
    settings: SlurmSettings,
    timeout: float | None,
    command: Command,
) -> list[str]:
    """Submit one array; return the number of each task's job."""
    executor = _executor(folder, settings)
    with executor.batch():
        submitted = [executor.submit(Task(root, chunk, timeout, command)) for chunk in chunks]
    return [job.job_id for job in submitted]


def _executor(folder: Path, settings: SlurmSettings) -> Any:
    """Return submitit's executor."""
    from submitit import SlurmExecutor

    executor = SlurmExecutor(folder / JOBS, max_num_timeout=TIMEOUTS)
    wanted = {
        "job_name": "crackbench",
        "partition": settings.partition,
        "account": settings.account,
        "time": settings.time_minutes,
        "gres": settings.gres,
        "cpus_per_task": settings.cpus,
        "mem": None if settings.memory_gb is None else f"{settings.memory_gb}GB",
        "array_parallelism": settings.max_parallel,
        "signal_delay_s": FIRST_SIGN_S,
        "additional_parameters": {"requeue": True, **settings.extra},
    }
    executor.update_parameters(**{k: v for k, v in wanted.items() if v is not None})
    return executor


def _is_due(attempt: Attempt) -> bool:
    """Return whether an attempt is still to be run: the cell's last, and not over, or only interrupted."""
    last = ledger.last(attempt.folder.parent, attempt.folder.name, None)
    if last.number != attempt.number or ledger.ended(attempt) in ("done", "failed"):
        return False
    ledger.forget_end(attempt)
    return True


def _ignore(state: local.SweepState) -> None:
    """Show nothing: the logs and the ledger tell."""
