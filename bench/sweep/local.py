"""Run cells in slots on this machine: each in a process of its own, forked from one that has imported everything."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from bench import signals
from bench.sweep import ledger, worker
from bench.sweep.cells import Cell
from bench.sweep.ledger import Attempt
from bench.sweep.progress import BAR_FORMAT
from bench.sweep.slots import Slot

STOPPED = "stopped"
TICK_S = 0.5
SERVER_DIED = 255
"""What multiprocessing says of a child whose fork server is gone; the cell itself gets SIGTERM then."""

SIGN_S = 30
GRACE_S = 60
"""Between SIGTERM and SIGKILL for a cell that must end: the time to write a checkpoint."""


@dataclass
class Running:
    """A cell in a slot; ``doomed`` says since when, and why, it is made to end."""

    cell: Cell
    attempt: Attempt
    slot: Slot
    process: BaseProcess
    began: float
    doomed: tuple[float, str] | None = None


@dataclass
class SweepState:
    """What a sweep is at one moment; the view reads it."""

    todo: list[tuple[Cell, Attempt]]
    running: list[Running] = field(default_factory=list)
    ended: list[tuple[Cell, Attempt]] = field(default_factory=list)
    elsewhere: list[Cell] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    stopping: bool = False


def run_cells(
    root: Path,
    state: SweepState,
    slots: Sequence[Slot],
    timeout_s: float | None,
    show: Callable[[SweepState], None],
    command: worker.Command,
    is_ours: bool = False,
) -> int:
    """Run all cells of ``state.todo`` in their order; return the number of the signal that stopped it, or 0.

    SIGINT or SIGTERM ends the cells in order, so that they can be gone on with; a second SIGINT kills them.

    Args:
        root: the project.
        state: is kept up to date; a cell that another sweep claims first lands in ``elsewhere``.
        slots: where to run.
        timeout_s: of each cell.
        show: called several times a second.
        command: runs a cell's command line in the process of the cell.
        is_ours: the attempts in ``todo`` were claimed before; else they are the ones seen last, and are claimed here.
    """
    context = multiprocessing.get_context("forkserver")
    _warm_up(command)
    free, signed = list(reversed(slots)), time.monotonic()
    with signals.deferred() as asked:
        while state.running or (state.todo and not asked):
            while free and state.todo and not asked:
                started = _start(root, state, free[-1], context.Process, is_ours, command)
                if started:
                    state.running.append(started)
                    free.pop()
            state.stopping = bool(asked)
            _hurry(state, asked, timeout_s)
            wait([r.process.sentinel for r in state.running], TICK_S)
            for over in [r for r in state.running if not r.process.is_alive()]:
                state.running.remove(over)
                state.ended.append((over.cell, _ended(over)))
                free.append(over.slot)
            if time.monotonic() - signed > SIGN_S:
                signed = time.monotonic()
                for r in state.running:
                    ledger.heartbeat(r.attempt)
            show(state)
    return int(asked[0]) if asked else 0


def _warm_up(command: worker.Command) -> None:
    """Start the process that imports everything and that cells are forked from."""
    forkserver.set_forkserver_preload([command.__module__, "bench.sweep.warm"])
    os.environ["TQDM_BAR_FORMAT"] = BAR_FORMAT  # tqdm reads it when it is imported: there, not in what we start later
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["TQDM_BAR_FORMAT"]


def stop(state: SweepState) -> None:
    """End the running cells in order and wait for them; for a signal handler that ends the process after it."""
    while any(r.process.is_alive() for r in state.running):
        _hurry(state, [signal.SIGTERM], None)
        wait([r.process.sentinel for r in state.running], TICK_S)
    for r in state.running:
        _ended(r)


def _start(
    root: Path,
    state: SweepState,
    slot: Slot,
    process: Callable[..., BaseProcess],
    is_ours: bool,
    command: worker.Command,
) -> Running | None:
    """Claim the next cell and start it; return None where another sweep has it."""
    cell, attempt = state.todo.pop(0)
    claimed = attempt if is_ours else ledger.claim(attempt, cell.fingerprint)
    if claimed is None:
        state.elsewhere.append(cell)
        return None
    child = process(target=worker.run_cell, args=(root, cell, claimed, slot, command), name=cell.name)
    child.start()
    return Running(cell, claimed, slot, child, time.monotonic())


def _hurry(state: SweepState, asked: Sequence[int], timeout_s: float | None) -> None:
    """End what took too long, and everything after a signal."""
    now = time.monotonic()
    for r in state.running:
        if r.doomed is None and asked:
            r.doomed = (now, STOPPED)
        elif r.doomed is None and timeout_s is not None and now - r.began > timeout_s:
            r.doomed = (now, f"took longer than {timeout_s / 60:g} minutes")
        if signal.SIGINT in asked[1:] or (r.doomed and r.doomed[1] != STOPPED and now - r.doomed[0] > GRACE_S):
            _send(r.process, signal.SIGKILL)
        elif r.doomed:
            _send(r.process, signal.SIGTERM)  # again and again: a process that has just been forked ignores it


def _send(process: BaseProcess, number: signal.Signals) -> None:
    """Send a signal to a cell; SIGKILL also to all that it started."""
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.killpg(process.pid or 0, number)
        os.kill(process.pid or 0, number)


def _ended(r: Running) -> Attempt:
    """Note how a cell ended."""
    r.process.join()
    code = r.process.exitcode or 0
    if code == SERVER_DIED:
        _let_end(r.process.pid or 0)
    seconds = time.monotonic() - r.began
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(r.process.pid or 0, signal.SIGKILL)  # data workers of a cell that crashed
    if r.doomed and r.doomed[1] != STOPPED:
        return ledger.end(r.attempt, "failed", r.doomed[1], seconds)
    if r.doomed or code in (128 + signal.SIGTERM, 128 + signal.SIGINT, -signal.SIGTERM, SERVER_DIED):
        return ledger.end(r.attempt, "interrupted", STOPPED, seconds)
    if code < 0:
        hint = ": the kernel does so when memory is out" if -code == signal.SIGKILL else ""
        return ledger.end(r.attempt, "failed", f"killed by {signal.Signals(-code).name}{hint}", seconds)
    lines = ledger.tail(r.attempt.log, 1)
    return ledger.end(r.attempt, "failed", lines[0] if lines else f"exit status {code}", seconds)


def _let_end(pid: int) -> None:
    """Wait until a process that got SIGTERM has ended, but no longer than ``GRACE_S``."""
    give_up = time.monotonic() + GRACE_S
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < give_up:
            time.sleep(TICK_S)
