"""The process that owns an attempt: named in a file, and judged alive or dead from any host."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from bench.errors import UserError
from bench.formats import files

LEASE_S = 600
"""An owner on another host without a heartbeat for so long is considered dead; there is one every 30 seconds."""

ASKED_EVERY_S = 60
"""Seconds for which a reading of the file server's clock is used again."""


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        host: host name, boot id and process namespace: among these a pid belongs to one process at a time.
        pid: process id.
        started: ticks from boot to its start, because pids are reused; without /proc, seconds since 1970.
    """

    host: str
    pid: int
    started: float


def this_process() -> Owner:
    """Return this process."""
    return Owner(_host(), os.getpid(), _started(os.getpid()))


def parse(content: Mapping[str, Any], path: Path) -> Owner:
    """Return the process that the content of a file names.

    Raises:
        UserError: it names none.
    """
    host, pid, started = (content.get(key) for key in ("host", "pid", "started"))
    if not (isinstance(host, str) and type(pid) is int and 0 < pid < 2**31 and isinstance(started, files.NUMBER)):
        raise UserError(f"{path} does not name a process")
    return Owner(host, pid, started)


def is_alive(owner: Owner, beat: Path) -> bool:
    """Return whether a process runs: asked from the system on this host, judged by its heartbeat on others.

    Args:
        owner: the process.
        beat: the file that its heartbeat touches.
    """
    if owner.host == _host():
        try:
            return abs(_started(owner.pid) - owner.started) < 1
        except psutil.NoSuchProcess:
            return False
    return age_s(beat) < LEASE_S


def age_s(path: Path) -> float:
    """Return the time since a file was touched, in the clock of the file server; infinite if it is missing, s."""
    try:
        touched = path.stat().st_mtime
    except OSError:
        return float("inf")
    return time.monotonic() + _server_ahead_s(path.parents[1], int(time.monotonic() / ASKED_EVERY_S)) - touched


@cache
def _server_ahead_s(folder: Path, turn: int) -> float:
    """Return the file server's clock minus this machine's monotonic clock, s; asked anew for each turn."""
    now = folder / f".now.{uuid4().hex}"
    try:
        now.touch()
        return now.stat().st_mtime - time.monotonic()
    except OSError:  # a folder that only others may write
        return time.time() - time.monotonic()
    finally:
        with suppress(OSError):
            now.unlink()


def _host() -> str:
    """Return an identifier of this machine since its last boot, or of this container, even if names repeat."""
    facts = [socket.gethostname()]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip())
    with suppress(OSError):
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(facts)


def _started(pid: int) -> float:
    """Return when a process started, by a clock that cannot be set.

    Raises:
        psutil.NoSuchProcess: it has ended.
    """
    try:
        content = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return float(psutil.Process(pid).create_time())
    fields = content.rpartition(")")[2].split()
    if fields[0] in "ZX":  # it has ended, but its parent has not fetched its exit status
        raise psutil.NoSuchProcess(pid)
    return float(fields[19])
