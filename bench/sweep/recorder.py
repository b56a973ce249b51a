"""Record cells with DVC while a sweep runs, so that `dvc repro` does not repeat them even if the sweep is killed."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from bench.errors import UserError
from bench.sweep import cells, ledger
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.local import SweepState
from bench.sweep.repository import LOCK_WAIT_S

PAUSE = 5
"""Time between two recordings in multiples of the time that the last one took: recording takes a sixth at most."""


def record(root: Path, done: Sequence[tuple[Cell, Attempt]], wait_s: float = LOCK_WAIT_S) -> int:
    """Record cells with DVC and note this in the ledger; return how many had not changed since they ran.

    Raises:
        UserError: DVC is busy.
    """
    fingerprints = {cell.name: attempt.fingerprint for cell, attempt in done}
    outputs = {cell.name: attempt.output for cell, attempt in done}
    changed = set(cells.record(root, fingerprints, outputs, wait_s))
    for cell, attempt in done:
        if cell.name not in changed:
            ledger.mark_recorded(attempt)
    return len(done) - len(changed)


class Recorder:
    """Show a running sweep, and record its cells soon after they end."""

    def __init__(self, root: Path, show: Callable[[SweepState], None]) -> None:
        self.root, self.show, self.recorded, self.next = root, show, 0, 0.0

    def __call__(self, state: SweepState) -> None:
        """Show the state, and record what has ended unless this was just done."""
        self.show(state)
        if time.monotonic() >= self.next and self.recorded < len(state.ended):
            self.flush(state, wait_s=0)

    def flush(self, state: SweepState, wait_s: float = LOCK_WAIT_S) -> None:
        """Record what has ended; if DVC is busy, leave it to the next call, or to `bench sweep --collect`."""
        began, count = time.monotonic(), len(state.ended)
        done = [(cell, attempt) for cell, attempt in state.ended[self.recorded :] if attempt.state == "done"]
        with suppress(UserError, OSError):
            if done:
                record(self.root, done, wait_s)
            self.recorded = count
        self.next = time.monotonic() + PAUSE * (time.monotonic() - began)
