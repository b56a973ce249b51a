"""The lock beside a target, which names the process that trains it: two never work on one target at once."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import UserError

if sys.platform != "win32":
    import fcntl


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
