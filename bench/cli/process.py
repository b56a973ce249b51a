"""Processes that must not outlive DVC, or work on one target at once."""

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import UserError

if sys.platform != "win32":
    import fcntl

SHELLS = {"sh", "bash", "dash", "zsh", "fish", "ksh"}
"""Names of the processes that may stand between DVC and its command."""


@contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold the lock beside a target; it is free as soon as the process and those that it forked have ended.

    Raises:
        UserError: another process holds it; names the process.
    """
    target = target.resolve()
    path = target.with_name(f".{target.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        if not _lock(file.fileno()):
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            raise UserError(
                f"{target}: {holder} is training it: wait until it has ended, or stop it; then run the command again."
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _lock(handle: int) -> bool:
    """Return whether an open file is locked now, or on a system that has no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
    return True


def stop_with_dvc() -> None:
    """If DVC runs this command, stop gracefully as soon as DVC ends, even if it is killed; on Linux only.

    DVC starts a shell, which may start this process instead of becoming it: the shell's end says nothing.
    """
    if sys.platform != "linux" or "DVC_STAGE" not in os.environ:
        return
    if not hasattr(os, "pidfd_open"):  # conda's Python is built without it
        return
    import psutil

    with suppress(psutil.Error, OSError):
        dvc = next((p for p in psutil.Process().parents() if p.name() not in SHELLS), None)
        handle = os.pidfd_open(dvc.pid) if dvc else None
        if dvc and handle and dvc.is_running():  # and its number is not that of a later process
            threading.Thread(target=_stop_after, args=(handle,), daemon=True).start()


def _stop_after(handle: int) -> None:
    """Wait for the end of a process, then stop this one; what it has forked goes too unless it stops gracefully."""
    import psutil

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll()
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.terminate()
    os.kill(os.getpid(), signal.SIGTERM)
