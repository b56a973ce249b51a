"""Run one cell in its own process, so that a crash cannot affect the others."""

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path

from bench.sweep import ledger
from bench.sweep.cells import Cell
from bench.sweep.ledger import Attempt
from bench.sweep.slots import Slot

Command = Callable[[list[str]], None]
"""Runs the arguments of a command line in this process; a function of a module, so that it pickles by reference."""

PR_SET_PDEATHSIG = 1
"""**Source:** linux/prctl.h."""


def run_cell(root: Path, cell: Cell, attempt: Attempt, slot: Slot, command: Command) -> None:
    """Run a cell's command, print to the attempt's log, and exit with the command's status.

    Meant for a process forked for this cell alone. SIGTERM ends it in order, and comes when the sweep dies.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()  # Ctrl-C in the terminal reaches the sweep, which decides; and all of this cell can be killed at once
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # of the process it was forked from
        _take_me_first()
    threading.Thread(target=_end_with_sweep, daemon=True).start()
    began = time.monotonic()
    log = os.open(attempt.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    ledger.mark_child(attempt)
    os.chdir(root)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    status = _run(cell, slot, command)
    if status == 0:
        ledger.end(attempt, "done", "", time.monotonic() - began)  # here: the sweep itself may be dead by now
    sys.exit(status)


def _take_me_first() -> None:
    """Tell the kernel to take a cell, not the sweep, when memory is out; the score may only rise."""
    score = Path("/proc/self/oom_score_adj")
    score.write_text(str(max(500, int(score.read_text()))))


def _end_with_sweep() -> None:
    """Wait until the sweep is gone, however it went, then end this process in order."""
    sweep = parent_process()
    if sweep is not None:
        wait([sweep.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _run(cell: Cell, slot: Slot, command: Command) -> int:
    """Run the command in this process; return its exit status."""
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())  # its own is a semaphore that a killed process leaves behind
    try:
        _take(slot)
        if cell.target.is_dir():
            shutil.rmtree(cell.target)  # as `dvc repro` does; the checkpoint lies beside it
        command(list(cell.command))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _take(slot: Slot) -> None:
    """Keep to this slot's share of the machine."""
    if slot.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = slot.gpu
    os.environ["OMP_NUM_THREADS"] = str(slot.threads)
    import torch

    torch.set_num_threads(slot.threads)
    if slot.gpu is not None and slot.share < 1 and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(slot.share)  # one that wants more fails, not its neighbour
