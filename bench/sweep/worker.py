"""Run one cell in its own process, so that a crash cannot affect the others."""

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path

from bench.errors import UserError
from bench.formats.lock import InUseError, exclusive
from bench.sweep import ledger, output
from bench.sweep.attempt import Attempt
from bench.sweep.cells import Cell
from bench.sweep.dvc_stage import DVC_STAGE, Command
from bench.sweep.slots import Slot

PR_SET_PDEATHSIG = 1
"""**Source:** linux/prctl.h."""


def run_cell(root: Path, cell: Cell, attempt: Attempt, slot: Slot, command: Command) -> None:
    """Run a cell's command, print to the attempt's log, and exit with the command's status.

    Must run in a process forked for this cell. SIGTERM stops it gracefully, and is also sent when the sweep dies.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()  # Ctrl-C reaches only the sweep, which decides; the whole process group of a cell can be killed
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # when the parent dies
        _prefer_for_oom_kill()
    threading.Thread(target=_stop_with_sweep, daemon=True).start()
    began = time.monotonic()
    log = os.open(attempt.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.pop(DVC_STAGE, None)  # of a sweep that a stage of DVC started
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        ledger.mark_child(attempt)
        os.chdir(root)
        status = _run(cell, slot, command) or _finish(cell, attempt, time.monotonic() - began)
    except UserError as error:  # another process trains the cell, or the ledger cannot be written
        print(f"Error: {error}", file=sys.stderr)
        if isinstance(error, InUseError):
            ledger.end(attempt, "interrupted", str(error), time.monotonic() - began)
        status = 1
    sys.exit(status)


def _finish(cell: Cell, attempt: Attempt, seconds: float) -> int:
    """Record that a cell is done if its output is whole; return the exit status.

    This is not left to the sweep, which may be dead by now.
    """
    try:
        found = output.digest(cell.target)
    except UserError as error:
        why = f"its command exited with status 0, but {error}"
        print(f"Error: {why}", file=sys.stderr)
        ledger.end(attempt, "failed", why, seconds)
        return 1
    ledger.end(attempt, "done", "", seconds, found)
    return 0


def _prefer_for_oom_kill() -> None:
    """Make the kernel kill a cell, not the sweep, when memory runs out; the score can only be raised."""
    score = Path("/proc/self/oom_score_adj")
    score.write_text(str(max(500, int(score.read_text()))))


def _stop_with_sweep() -> None:
    """Wait until the sweep ends, for whatever reason, then stop this process gracefully."""
    sweep = parent_process()
    if sweep is not None:
        wait([sweep.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _run(cell: Cell, slot: Slot, command: Command) -> int:
    """Run the command in this process; return its exit status."""
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())  # the default is a semaphore that a killed process leaks
    try:
        _use(slot)
        with exclusive(cell.target):  # another process may train it, by hand for example
            _remove(cell.target)  # as `dvc repro` does; the checkpoint is outside it
        command(list(cell.command))
    except UserError:
        raise
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _remove(target: Path) -> None:
    """Remove an earlier output, so that what lies there afterwards is of this attempt."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _use(slot: Slot) -> None:
    """Limit this process to the slot's share of the machine."""
    if slot.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.gpu
    os.environ["OMP_NUM_THREADS"] = str(slot.threads)
    import torch

    torch.set_num_threads(slot.threads)
    if slot.gpu is not None and slot.share < 1 and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(slot.share)  # a cell that needs more fails, not its neighbour
