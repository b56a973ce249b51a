"""Run cells in slots on this machine, each in its own process, forked from a server with all imports preloaded."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from bench import signals
from bench.errors import UserError
from bench.sweep import ledger, worker
from bench.sweep.attempt import Attempt, State
from bench.sweep.cells import Cell
from bench.sweep.dvc_stage import Command
from bench.sweep.progress import is_bar, tail
from bench.sweep.slots import Slot

STOPPED = "stopped"
TICK_S = 0.5
SERVER_DIED = 255
"""Exit code that multiprocessing reports for a child whose fork server died; the cell itself gets SIGTERM then."""

STOPPED_CODES = (128 + signal.SIGTERM, 128 + signal.SIGINT, -signal.SIGTERM, SERVER_DIED)
"""Exit codes of a cell that was stopped, not failed."""

HEARTBEAT_S = 30
GRACE_S = 60
"""Time from SIGTERM to SIGKILL for a cell past its timeout, enough to write a checkpoint."""


@dataclass(frozen=True)
class Termination:
    """When (``time.monotonic``) and why a cell was asked to stop."""

    since: float
    reason: str


@dataclass
class Running:
    """A cell in a slot; ``terminating``: when and why it was asked to stop."""

    cell: Cell
    attempt: Attempt
    slot: Slot
    process: BaseProcess
    began: float
    terminating: Termination | None = None


@dataclass
class SweepState:
    """Cells of a running sweep by state; the view shows it."""

    todo: list[tuple[Cell, Attempt]]
    running: list[Running] = field(default_factory=list)
    ended: list[tuple[Cell, Attempt]] = field(default_factory=list)
    claimed_by_others: list[Cell] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    stopping: bool = False


def run_cells(
    root: Path,
    state: SweepState,
    slots: Sequence[Slot],
    timeout_s: float | None,
    show: Callable[[SweepState], None],
    command: Command,
    is_ours: bool = False,
) -> int:
    """Run all cells of ``state.todo`` in order; return the number of the signal that stopped the sweep, or 0.

    SIGINT or SIGTERM stops the cells gracefully, so that they can resume; a second SIGINT kills them.

    Args:
        root: the project.
        state: updated in place; a cell that another sweep claims first goes to ``claimed_by_others``.
        slots: where to run the cells.
        timeout_s: time limit of each cell.
        show: called several times a second.
        command: runs a cell's command line in the process of the cell.
        is_ours: the attempts in ``todo`` are claimed already; otherwise they are the last known ones, and this function
            claims the next.
    """
    context = multiprocessing.get_context("forkserver")
    _warm_up(command)
    free, last_heartbeat = list(reversed(slots)), time.monotonic()
    with signals.deferred() as received:
        while state.running or (state.todo and not received):
            while free and state.todo and not received:
                started = _start(root, state, free[-1], context.Process, is_ours, command)
                if started:
                    state.running.append(started)
                    free.pop()
            state.stopping = bool(received)
            _terminate(state, received, timeout_s)
            wait([r.process.sentinel for r in state.running], TICK_S)
            for r in [r for r in state.running if not r.process.is_alive()]:
                state.running.remove(r)
                state.ended.append((r.cell, _record_end(r)))
                free.append(r.slot)
            if time.monotonic() - last_heartbeat > HEARTBEAT_S:
                last_heartbeat = time.monotonic()
                for r in state.running:
                    ledger.heartbeat(r.attempt)
            show(state)
    return int(received[0]) if received else 0


def _warm_up(command: Command) -> None:
    """Start the fork server, with the heavy imports preloaded."""
    forkserver.set_forkserver_preload(["bench.sweep.warm", command.__module__])
    forkserver.ensure_running()


def stop(state: SweepState) -> None:
    """Stop the running cells gracefully and wait for them; for a signal handler after which the process ends."""
    while any(r.process.is_alive() for r in state.running):
        _terminate(state, [signal.SIGTERM], None)
        wait([r.process.sentinel for r in state.running], TICK_S)
    for r in state.running:
        _record_end(r)


def _start(
    root: Path,
    state: SweepState,
    slot: Slot,
    process: Callable[..., BaseProcess],
    is_ours: bool,
    command: Command,
) -> Running | None:
    """Claim the next cell and start it; return None if another sweep has claimed it or it cannot be claimed."""
    cell, attempt = state.todo.pop(0)
    try:
        claimed = attempt if is_ours else ledger.claim(attempt, cell.fingerprint)
    except UserError as error:
        state.ended.append((cell, replace(attempt, state="failed", why=str(error), claim_id="")))
        return None
    if claimed is None:
        state.claimed_by_others.append(cell)
        return None
    child = process(target=worker.run_cell, args=(root, cell, claimed, slot, command), name=cell.name)
    child.start()
    return Running(cell, claimed, slot, child, time.monotonic())


def _terminate(state: SweepState, received: Sequence[int], timeout_s: float | None) -> None:
    """Ask cells to stop after a signal or their timeout; kill them after the grace period or a second SIGINT."""
    now = time.monotonic()
    for r in state.running:
        if r.terminating is None and received:
            r.terminating = Termination(now, STOPPED)
        elif r.terminating is None and timeout_s is not None and now - r.began > timeout_s:
            r.terminating = Termination(now, f"took longer than {timeout_s / 60:g} minutes")
        if r.terminating is None:
            continue
        is_overdue = r.terminating.reason != STOPPED and now - r.terminating.since > GRACE_S
        if is_overdue or signal.SIGINT in received[1:]:
            _send(r.process, signal.SIGKILL)
        else:
            _send(r.process, signal.SIGTERM)  # at every tick: a process that has just been forked ignores it


def _send(process: BaseProcess, number: signal.Signals) -> None:
    """Send a signal to a cell; SIGKILL also to all processes that it started."""
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.killpg(process.pid or 0, number)
        os.kill(process.pid or 0, number)


def _record_end(r: Running) -> Attempt:
    """Record the final state of a cell whose process has ended, and kill the processes that it left behind."""
    r.process.join()
    code = r.process.exitcode or 0
    if code == SERVER_DIED:
        _wait_for_end(r.process.pid or 0)
    seconds = time.monotonic() - r.began
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(r.process.pid or 0, signal.SIGKILL)  # data workers of a cell that crashed
    final_state, why = _outcome(r, code)
    try:
        return ledger.end(r.attempt, final_state, why, seconds)
    except UserError as error:  # a full disk, for example; the other cells continue
        return replace(r.attempt, state=final_state, why=f"{why} ({error})", seconds=seconds)


def _outcome(r: Running, code: int) -> tuple[State, str]:
    """Return the final state and its reason, from the exit code; a successful cell has recorded its own already."""
    if r.terminating and r.terminating.reason != STOPPED:
        return "failed", r.terminating.reason
    if r.terminating or code in STOPPED_CODES:
        return "interrupted", STOPPED
    if code < 0:
        hint = ": probably the kernel, out of memory" if -code == signal.SIGKILL else ""
        return "failed", f"killed by {signal.Signals(-code).name}{hint}"
    if code == 0:
        return "failed", "its process exited with status 0 before the run was finished"
    lines = tail(r.attempt.log, 1)
    return "failed", lines[0] if lines and not is_bar(lines[0]) else f"exit status {code}"


def _wait_for_end(pid: int) -> None:
    """Wait until a process that received SIGTERM has ended, at most ``GRACE_S``."""
    give_up = time.monotonic() + GRACE_S
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < give_up:
            time.sleep(TICK_S)
