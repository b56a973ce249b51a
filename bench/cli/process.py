"""Commands that must not outlive the DVC that runs them."""

import os
import select
import signal
import sys
import threading
from contextlib import suppress

SHELLS = {"sh", "bash", "dash", "zsh", "fish", "ksh"}
"""Names of the processes that may stand between DVC and its command."""


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
