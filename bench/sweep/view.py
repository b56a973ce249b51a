"""Show a sweep on stderr: a live table in a terminal, plain lines otherwise."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.sweep import progress
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.local import SweepState

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_ENDED = 5
LINES_OF_LOG = 5


def print_in_terminal(line: str) -> None:
    """Print a line if stderr is a terminal."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


@contextmanager
def view() -> Iterator[Callable[[SweepState], None]]:
    """Yield the function that shows a state; it can be called often."""
    if not sys.stderr.isatty():
        yield _Plain()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=False) as live:
        yield lambda state: live.update(_table(state))


class _Plain:
    """Prints a line for each cell that ended since the last call."""

    def __init__(self) -> None:
        self.printed = 0

    def __call__(self, state: SweepState) -> None:
        for cell, attempt in state.ended[self.printed :]:
            self.printed += 1
            print(f"{time.strftime('%H:%M:%S')} [{self.printed}/{_total(state)}] {describe(cell, attempt)}",
                  file=sys.stderr, flush=True)  # fmt: skip


def describe(cell: Cell, attempt: Attempt) -> str:
    """Return one line on how a cell ended."""
    facts = progress.read(attempt.log)
    parts = [f"{cell.label} {attempt.state} after {attempt.seconds:.1f} s"]
    if attempt.state == "done" and facts.iou:
        parts.append(f"IoU {facts.iou}")
    return ", ".join(parts) + (f": {attempt.why}" if attempt.why else "")


def failures(failed: Sequence[tuple[Cell, Attempt]]) -> str:
    """Return the failed cells with the paths and the last lines of their logs."""
    parts = []
    for cell, attempt in failed:
        last = progress.tail(attempt.log, LINES_OF_LOG)
        lines = "".join(f"    {line[:200]}\n" for line in last if line != attempt.why)
        parts.append(f"  {cell.label}: {attempt.why}\n    {attempt.log}\n{lines}")
    return "".join(parts)


def seconds_left(state: SweepState) -> float | None:
    """Return the remaining time at the mean speed so far, s; None before the first cell has ended."""
    elapsed = time.monotonic() - state.began
    done = len(state.ended) + sum(progress.read(r.attempt.log).share for r in state.running)
    return elapsed * (_total(state) - done) / done if state.ended and done else None


def _total(state: SweepState) -> int:
    return len(state.todo) + len(state.running) + len(state.ended)


def _table(state: SweepState) -> "Table":
    """Return the running cells and the last ones that ended as a table of rich."""
    from rich.table import Table

    failed = sum(attempt.state == "failed" for _, attempt in state.ended)
    left = seconds_left(state)
    title = f"{len(state.ended)} of {_total(state)} cells ended, {failed} failed"
    title += "" if left is None else f", {_clock(left)} left"
    title += " - stopping gracefully; press Ctrl-C again to kill" if state.stopping else ""
    table = Table("cell", "state", "epoch", "IoU", "images/s", "left", title=title, title_justify="left")
    for cell, attempt in state.ended[-SHOWN_ENDED:]:
        table.add_row(cell.label, attempt.state, "", progress.read(attempt.log).iou, "", "")
    for r in state.running:
        facts = progress.read(r.attempt.log)
        status = "running" if r.slot.gpu is None else f"on GPU {r.slot.gpu}"
        table.add_row(r.cell.label, status, facts.epoch, facts.iou, facts.images_per_s, facts.left)
    return table


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
