"""Submit cells to Slurm as job arrays, through submitit, and detach; the ledger holds their state."""

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
"""Folder in the ledger for the files of submitit."""

ARRAY_SIZE = 1000
"""Tasks per array: Slurm's MaxArraySize is 1001 by default."""

MAX_REQUEUES = 1000
"""How often a job that reaches its time limit is requeued; each time it resumes from its checkpoint."""

NOTICE_S = 90
"""How long before its time limit a job is told to write a checkpoint and requeue."""

KILLED_WITHIN_S = 300
"""Slurm kills a job that it has sent SIGTERM well within this time (its KillWait is 30 s by default)."""


@dataclass(frozen=True)
class SlurmSettings:
    """How jobs are submitted: the section ``sweep.slurm`` of params.yaml.

    Attributes:
        partition: None for the cluster's default.
        account: account to charge; None for the cluster's default.
        time_minutes: time limit of one job; a job that reaches it is requeued and resumes.
        gres: generic resources of one job, such as "gpu:1"; None for none.
        cpus: cores of one job.
        memory_gb: memory of one job; None for the cluster's default.
        max_parallel: jobs that run at a time.
        cells_per_job: cells that one job runs one after the other, which saves start-up time.
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
    """The work of one job; submitit calls it, and its ``checkpoint`` before the time limit.

    Attributes:
        root: the project.
        chunk: cells and their attempts, claimed when they were submitted.
        timeout_minutes: time limit of each cell.
        command: runs a cell's command line.
        state: the cells of this job by state.
    """

    root: Path
    chunk: list[tuple[Cell, Attempt]]
    timeout_minutes: float | None
    command: Command
    state: local.SweepState = field(default_factory=lambda: local.SweepState([]))

    def __call__(self) -> None:
        """Run the cells that are still ours and have not ended."""
        self.state.todo = [(cell, attempt) for cell, attempt in self.chunk if _is_due(attempt)]
        timeout_s = None if self.timeout_minutes is None else 60 * self.timeout_minutes
        if local.run_cells(self.root, self.state, slots(1, 1), timeout_s, _ignore, self.command, is_ours=True):
            _wait_to_be_killed()

    def checkpoint(self) -> "DelayedSubmission":
        """Stop the running cell gracefully, and return the work of the job after requeueing."""
        from submitit.helpers import DelayedSubmission

        local.stop(self.state)
        return DelayedSubmission(Task(self.root, self.chunk, self.timeout_minutes, self.command))


def _wait_to_be_killed() -> None:
    """Sleep after SIGTERM from Slurm until it kills this job: it requeues only jobs that did not exit by themselves."""
    time.sleep(KILLED_WITHIN_S)


def submit(
    root: Path,
    folder: Path,
    todo: Sequence[tuple[Cell, Attempt]],
    settings: SlurmSettings,
    timeout_minutes: float | None,
    command: Command,
) -> int:
    """Claim cells and submit them; return how many. Cells that another sweep claimed first are skipped.

    Raises:
        UserError: Slurm is missing or rejects the jobs; no cell that was not submitted stays claimed.
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
            raise UserError(f"Slurm rejected the jobs: {reason}. Submitted before: {i * size} cells.") from error
        for number, chunk in zip(numbers, part, strict=True):
            for _, attempt in chunk:
                ledger.mark_job(attempt, number)
    return len(ours)


def jobs(folder: Path) -> frozenset[str] | None:
    """Return the queued and running jobs of this user, as "12" or "12_3"; None if Slurm does not answer.

    Slurm is queried only if jobs were ever submitted.
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
    """Submit one array; return the job id of each task."""
    executor = _executor(folder, settings)
    with executor.batch():
        submitted = [executor.submit(Task(root, chunk, timeout, command)) for chunk in chunks]
    return [job.job_id for job in submitted]


def _executor(folder: Path, settings: SlurmSettings) -> Any:
    """Return submitit's executor with these settings."""
    from submitit import SlurmExecutor

    executor = SlurmExecutor(folder / JOBS, max_num_timeout=MAX_REQUEUES)
    parameters = {
        "job_name": "crackbench",
        "partition": settings.partition,
        "account": settings.account,
        "time": settings.time_minutes,
        "gres": settings.gres,
        "cpus_per_task": settings.cpus,
        "mem": None if settings.memory_gb is None else f"{settings.memory_gb}GB",
        "array_parallelism": settings.max_parallel,
        "signal_delay_s": NOTICE_S,
        "additional_parameters": {"requeue": True, **settings.extra},
    }
    executor.update_parameters(**{k: v for k, v in parameters.items() if v is not None})
    return executor


def _is_due(attempt: Attempt) -> bool:
    """Return whether an attempt must run: it is the cell's last, and has not ended or was only interrupted."""
    last = ledger.last(attempt.folder.parent, attempt.folder.name, None)
    if last.number != attempt.number or ledger.ended(attempt) in ("done", "failed"):
        return False
    ledger.clear_end(attempt)
    return True


def _ignore(state: local.SweepState) -> None:
    """Show nothing: a job has no terminal; progress is in the logs and the ledger."""
