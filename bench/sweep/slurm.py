"""Submit cells to Slurm as job arrays, through submitit, and detach; the ledger holds their state."""

import getpass
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.sweep import ledger, local
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.dvc_stage import Command
from bench.sweep.owner import LEASE_S
from bench.sweep.recorder import Recorder
from bench.sweep.slots import slots

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

JOBS = "jobs"
"""Folder in the ledger for the files of submitit."""

ARRAY_SIZE = 1000
"""Most tasks per array; fewer if the cluster's MaxArraySize, 1001 by default, is smaller."""

MAX_REQUEUES = 1000
"""How often a job that reaches its time limit is requeued; each time it resumes from its checkpoint."""

NOTICE_S = 90
"""How long before its time limit a job is told to write a checkpoint and requeue."""

POLL_S = 5

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
        keep_record: record finished cells with DVC.
        state: the cells of this job by state.
    """

    root: Path
    chunk: list[tuple[Cell, Attempt]]
    timeout_minutes: float | None
    command: Command
    keep_record: bool
    state: local.SweepState = field(default_factory=lambda: local.SweepState([]))

    def __call__(self) -> None:
        """Run the cells that are still ours and have not ended."""
        _wait_for_former(self.chunk)
        self.state.todo = [(cell, attempt) for cell, attempt in self.chunk if _is_due(attempt)]
        timeout_s = None if self.timeout_minutes is None else 60 * self.timeout_minutes
        recorder = Recorder(self.root, _ignore)
        show = recorder if self.keep_record else _ignore
        stopped = local.run_cells(self.root, self.state, slots(1, 1), timeout_s, show, self.command, is_ours=True)
        if self.keep_record and not stopped:  # little time is left then; `--collect` records later
            recorder.flush(self.state)
        if stopped:
            _wait_to_be_killed()

    def checkpoint(self) -> "DelayedSubmission":
        """Stop the running cell gracefully, and return the work of the job after requeueing."""
        from submitit.helpers import DelayedSubmission

        local.stop(self.state)
        return DelayedSubmission(self.with_cells(self.chunk))

    def with_cells(self, chunk: list[tuple[Cell, Attempt]]) -> "Task":
        """Return the same work for other cells, none of which has started."""
        return Task(self.root, chunk, self.timeout_minutes, self.command, self.keep_record)


def _wait_to_be_killed() -> None:
    """Sleep after SIGTERM from Slurm until it kills this job: it requeues only jobs that did not exit by themselves."""
    time.sleep(KILLED_WITHIN_S)


def _wait_for_former(chunk: Sequence[tuple[Cell, Attempt]]) -> None:
    """Wait until what this job started before it was requeued has ended: it may take a while to stop.

    On another node, which may be dead, it counts as ended when its heartbeat has stopped for long enough.
    """
    give_up = time.monotonic() + 1.1 * LEASE_S
    while any(_is_computed(attempt) for _, attempt in chunk) and time.monotonic() < give_up:
        time.sleep(POLL_S)


def _is_computed(attempt: Attempt) -> bool:
    """Return whether a process computes an attempt that has not ended."""
    return ledger.ended(attempt) is None and ledger.has_live_child(attempt)


def submit(folder: Path, todo: Sequence[tuple[Cell, Attempt]], settings: SlurmSettings, task: Task) -> int:
    """Claim cells and submit them; return how many. Cells that another sweep claimed first are skipped.

    Raises:
        UserError: Slurm is missing or rejects the jobs; no cell that was not submitted stays claimed.
    """
    ours = [(cell, claimed) for cell, last in todo if (claimed := ledger.claim(last, cell.fingerprint))]
    size = settings.cells_per_job
    chunks = [ours[i : i + size] for i in range(0, len(ours), size)]
    array_size = _array_size()
    for i in range(0, len(chunks), array_size):
        part = chunks[i : i + array_size]
        try:
            numbers = _send(folder, [task.with_cells(chunk) for chunk in part], settings)
        except Exception as error:
            for chunk in chunks[i:]:
                for _, attempt in chunk:
                    ledger.end(attempt, "interrupted", "not submitted", 0)
            reason = " ".join(str(getattr(error, "stderr", "") or error).split())
            raise UserError(
                f"Slurm rejected the jobs: {reason}. Submitted before: {i * size} cells; remove the cause, then run "
                "the same command again for the others, or with fewer jobs (--cells-per-job)."
            ) from error
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


def _array_size() -> int:
    """Return the most tasks of one array that the cluster accepts."""
    try:
        done = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ARRAY_SIZE  # submission will tell what is wrong
    limit = re.search(r"^MaxArraySize\s*=\s*(\d+)", done.stdout, re.MULTILINE)
    return max(1, min(ARRAY_SIZE, int(limit[1]))) if limit else ARRAY_SIZE


def _send(folder: Path, tasks: list[Task], settings: SlurmSettings) -> list[str]:
    """Submit one array; return the job id of each task."""
    executor = _executor(folder, settings)
    with executor.batch():
        submitted = [executor.submit(task) for task in tasks]
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
    """Return whether to run an attempt: the cell's last, which nobody computes and which is not done or failed."""
    last = ledger.last(attempt.folder.parent, attempt.folder.name, None)
    is_over = ledger.ended(attempt) in ("done", "failed")
    if last.number != attempt.number or is_over or _is_computed(attempt):
        return False
    ledger.clear_end(attempt)
    return True


def _ignore(state: local.SweepState) -> None:
    """Show nothing: a job has no terminal; progress is in the logs and the ledger."""
