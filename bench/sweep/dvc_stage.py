"""Run a stage's command in a process forked from one that has the heavy imports, which lives as long as `dvc repro`.

The first cell of a `dvc repro` starts that process; without it each cell imports for seconds what the last one had. A
command that cannot be handed over runs as usual. On Linux only.
"""

import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType
from typing import Any

Command = Callable[[list[str]], None]
"""Runs the arguments of a command line in this process; a module-level function, so that it can be named."""

DVC_STAGE = "DVC_STAGE"
"""Variable by which `dvc repro` names the stage whose command it runs."""

ACCEPTED, REFUSED = b"+", b"-"
FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGCONT")
_START = """import sys
sys.path[:] = {path!r}
from bench.sweep import dvc_stage
from {module} import {name}
dvc_stage.serve({handle}, {dvc}, {name})
"""
_forked = False
"""Whether this process was forked for a stage."""


def hand_over(arguments: Sequence[str], command: Command) -> int | None:
    """Run the arguments of a command line in a forked process; return its exit status, 128 + N if signal N killed it.

    ``command`` runs them there. Returns None where they must run in this process: DVC does not run it, it is the forked
    process, or the process to fork from cannot be started or has imported code that has changed since.
    """
    if _forked or DVC_STAGE not in os.environ or not hasattr(os, "pidfd_open") or not hasattr(socket, "SO_PEERCRED"):
        return None
    dvc = _dvc()
    if dvc is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        _connect(connection, *dvc, command)
        request = {"arguments": list(arguments), "folder": str(Path.cwd()), "environment": dict(os.environ)}
        socket.send_fds(connection, [b"\n"], [0, 1, 2])
        connection.sendall(json.dumps(request).encode() + b"\n")
        if connection.recv(1) != ACCEPTED:
            return None
        return _follow(connection)
    return None


def _dvc() -> tuple[int, float] | None:
    """Return the number and the start of the DVC that runs this process, if one does."""
    import psutil

    with suppress(psutil.Error):
        for process in psutil.Process().parents()[:3]:  # a shell may stand between
            if any(Path(word).name == "dvc" for word in process.cmdline()[:4]):
                return process.pid, process.create_time()
    return None


def _connect(connection: socket.socket, dvc: int, since: float, command: Command) -> None:
    """Connect to the process of this user, DVC and environment; start it if there is none.

    Raises:
        OSError: it is another user's.
    """
    same = {k: v for k, v in os.environ.items() if k not in (DVC_STAGE, "_")}
    key = json.dumps([since, sys.executable, sys.path, __file__, sorted(same.items())])
    address = f"\0crackbench-{dvc}-{hashlib.sha256(key.encode()).hexdigest()}"  # no file, so none is left behind
    try:
        connection.connect(address)
    except ConnectionRefusedError:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            facts = {"path": sys.path, "handle": listener.fileno(), "dvc": dvc}
            start = _START.format(**facts, module=command.__module__, name=command.__name__)
            subprocess.Popen(
                [sys.executable, "-c", start], pass_fds=[listener.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            connection.connect(address)
    if _peer_user(connection) != os.getuid():
        raise PermissionError


def _peer_user(connection: socket.socket) -> int:
    """Return the user at the other end."""
    return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])


def _follow(connection: socket.socket) -> int:
    """Pass signals on until the command has ended; return its exit status."""

    def forward(number: int, frame: FrameType | None) -> None:
        is_stop = number == signal.SIGTSTP  # Ctrl-Z; ignored in a session without a terminal, so SIGSTOP is sent
        with suppress(OSError):
            connection.send(bytes([signal.SIGSTOP if is_stop else number]))
        if is_stop:
            os.kill(os.getpid(), signal.SIGSTOP)

    for number in (getattr(signal, name) for name in FORWARDED):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, forward)
    try:
        return connection.recv(1)[0]
    except (OSError, IndexError):  # the process that forks was killed
        return 1


def serve(handle: int, dvc: int, command: Command) -> None:
    """Fork a process for each request until DVC has ended.

    Args:
        handle: of the socket to listen on.
        dvc: number of DVC's process.
        command: runs the arguments of a command line.
    """
    from bench.sweep.preload import preload

    with socket.socket(fileno=handle) as listener, suppress(ProcessLookupError):
        until = os.pidfd_open(dvc)
        preload()
        times = _code_times()
        while listener in wait([listener, until]):
            with listener.accept()[0] as connection, suppress(OSError, ValueError):
                if _code_times(times) != times:
                    connection.send(REFUSED)
                    return
                if _peer_user(connection) == os.getuid():
                    _answer(connection, listener, command)


def _code_times(names: Iterable[str] = ()) -> dict[str, int]:
    """Return when the files of the suite that are imported here, or those named, were changed."""
    loaded = names or [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] == "bench" and m.__file__]
    return {name: Path(name).stat().st_mtime_ns if Path(name).exists() else 0 for name in loaded}


def _answer(connection: socket.socket, listener: socket.socket, command: Command) -> None:
    """Fork a process for a request, pass signals on to it, and answer with its exit status."""
    handles = socket.recv_fds(connection, 1, 3)[1]
    with connection.makefile("rb") as lines:
        request = json.loads(lines.readline())
    process = get_context("fork").Process(target=_run, args=(request, handles, (connection, listener), command))
    process.start()
    for handle in handles:
        os.close(handle)
    connection.send(ACCEPTED)
    while process.sentinel not in wait([connection, process.sentinel]):
        numbers = connection.recv(16)
        for number in numbers or (signal.SIGTERM,):  # the command that asked was killed
            os.kill(process.pid or 0, number)
        if not numbers:
            break
    process.join()
    code = process.exitcode or 0
    connection.send(bytes([code if code >= 0 else 128 - code]))


def _run(request: dict[str, Any], handles: list[int], inherited: Sequence[socket.socket], command: Command) -> None:
    """Run a request as if the process that asked had."""
    global _forked
    _forked = True
    os.setsid()
    for one in inherited:
        one.close()
    for target, handle in enumerate(handles):
        os.dup2(handle, target)
        os.close(handle)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    command(request["arguments"])
