"""The lock beside a target, which names the process that trains it: two never work on one target at once."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import UserError

if sys.platform != "win32":
    import fcntl


class InUseError(UserError):
    """Another process works on a target."""


@contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold the lock beside a target; it is free as soon as the process and those that it forked have ended.

    Raises:
        InUseError: another process holds it; names the process.
    """
    target = target.resolve()
    path = target.with_name(f".{target.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        if _lock(file.fileno()) is False:
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            raise InUseError(
                f"{target}: {holder} is training it: wait until it has ended, or stop it; then run the command again."
            )
        with suppress(OSError):  # a full disk: it is locked, without a name
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield


def is_possible(folder: Path) -> bool:
    """Return whether the file system of a folder has locks."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return _lock(file.fileno()) is not None


def _lock(handle: int) -> bool | None:
    """Return whether an open file is locked now; None where there are no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
    return True
