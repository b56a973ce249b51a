"""Run a stage's command in a process forked from one that has the heavy imports, which lives as long as `dvc repro`.

The first cell of a `dvc repro` starts that process; without it each cell imports for seconds what the last one had. A
command that cannot be handed over runs as usual. On Linux only.
"""

import atexit
import ctypes
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType
from typing import Any

from bench.errors import UserError

Command = Callable[[list[str]], None]
"""Runs the arguments of a command line in this process; a module-level function, so that it can be named."""

DVC_STAGE = "DVC_STAGE"
"""Variable by which `dvc repro` names the stage whose command it runs."""

ACCEPTED, REFUSED, GO = b"+", b"-", b"!"
FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGCONT")
GRACE_S = 60
"""Time from SIGTERM to SIGKILL, enough to write a checkpoint."""
_START = "import sys; sys.path[:] = {path!r}; from bench.sweep import dvc_stage; from {module} import {name}; "
_START += "dvc_stage.serve({handle}, {dvc}, {name})"
_forked = False
"""Whether this process was forked for a stage."""


def hand_over(arguments: Sequence[str], command: Command) -> int | None:
    """Run the arguments of a command line in a forked process; return its exit status, or die by its signal.

    ``command`` runs them there. Returns None where they must run here: DVC does not run this process, it is the forked
    one, or the one to fork from cannot start, is busy, has other surroundings, or has imported code that has changed.

    Raises:
        UserError: the process that forks was killed.
    """
    if _forked or DVC_STAGE not in os.environ or not hasattr(os, "pidfd_open") or not hasattr(socket, "SO_PEERCRED"):
        return None
    dvc = _dvc()
    if dvc is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            _connect(connection, *dvc, command)
            request = {"arguments": list(arguments), "folder": str(Path.cwd()), "stage": os.environ[DVC_STAGE]}
            socket.send_fds(connection, [b"\n"], [0, 1, 2])
            connection.sendall(json.dumps(request | {"surroundings": _surroundings()}).encode() + b"\n")
            if connection.recv(1) != ACCEPTED:
                return None
        except OSError:
            return None
        return _follow(connection)


def _dvc() -> tuple[int, float] | None:
    """Return the number and the start of the DVC that runs this process, if one does."""
    import psutil

    with suppress(psutil.Error):
        for process in psutil.Process().parents()[:3]:  # shells may stand between
            words = [Path(word).name for word in process.cmdline()[:3]]
            if "dvc" in words[:2] or words[1:] == ["-m", "dvc"]:
                return process.pid, process.create_time()
    return None


def _surroundings() -> str:
    """Return a hash of what a process has from the one that started it: it must be the same in a forked one."""
    import resource

    mask = os.umask(0)
    os.umask(mask)
    limits = [resource.getrlimit(getattr(resource, name)) for name in sorted(dir(resource)) if name[:7] == "RLIMIT_"]
    environment = sorted(item for item in os.environ.items() if item[0] not in (DVC_STAGE, "_"))
    rights = [mask, os.nice(0), sorted(os.sched_getaffinity(0)), sorted(os.getgroups()), limits]
    python = [sys.executable, sys.warnoptions, sys._xoptions, sys.flags.optimize, sys.flags.dev_mode]
    return hashlib.sha256(json.dumps([environment, rights, python]).encode()).hexdigest()


def _connect(connection: socket.socket, dvc: int, since: float, command: Command) -> None:
    """Connect to the process that forks for this user and DVC; start it if there is none.

    Raises:
        OSError: it is another user's.
    """
    key = hashlib.sha256(json.dumps([since, sys.path, __file__]).encode()).hexdigest()
    address = f"\0crackbench-{dvc}-{key}"  # no file, so none is left behind
    try:
        connection.connect(address)
    except ConnectionRefusedError:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            names = {"module": command.__module__, "name": command.__name__}
            start = _START.format(path=sys.path, handle=listener.fileno(), dvc=dvc, **names)
            process = subprocess.Popen(
                [sys.executable, "-c", start], pass_fds=[listener.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            process.returncode = 0  # it is not waited for
            connection.connect(address)
    if _peer_user(connection) != os.getuid():
        raise PermissionError


def _peer_user(connection: socket.socket) -> int:
    """Return the user at the other end."""
    return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])


def _follow(connection: socket.socket) -> int:
    """Let the command begin, pass signals on until it has ended, and return its exit status or die by its signal."""

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
        connection.sendall(GO)
        status, number = connection.recv(2)
    except (OSError, ValueError):
        raise UserError(
            "the process from which this training was forked has been killed: run the command again."
        ) from None
    if number:
        with suppress(OSError):  # SIGKILL has no handler
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return int(status)


def serve(handle: int, dvc: int, command: Command) -> None:
    """Fork a process for each request, one at a time, until DVC has ended.

    Args:
        handle: of the socket to listen on.
        dvc: number of DVC's process.
        command: runs the arguments of a command line.
    """
    from bench.sweep.preload import preload

    with socket.socket(fileno=handle) as listener, suppress(ProcessLookupError):
        until, surroundings, ours = os.pidfd_open(dvc), _surroundings(), _code_times()
        preload()
        times = _code_times() | ours
        while until not in wait([listener, until]):
            with listener.accept()[0] as connection, suppress(OSError, ValueError):
                if _peer_user(connection) != os.getuid():
                    continue
                if _code_times(times) != times:
                    connection.send(REFUSED)
                    return
                _answer(connection, listener, until, surroundings, command)


def _code_times(names: Sequence[str] | dict[str, int] = ()) -> dict[str, int]:
    """Return when the files that are imported here, or those named, were changed; 0 for one that is gone."""
    loaded = names or [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    return {name: Path(name).stat().st_mtime_ns if Path(name).exists() else 0 for name in loaded}


def _answer(
    connection: socket.socket, listener: socket.socket, until: int, surroundings: str, command: Command
) -> None:
    """Fork a process for a request, pass signals on to it, and answer with its exit status and its signal, if any."""
    handles = socket.recv_fds(connection, 1, 3)[1]
    with connection.makefile("rb") as lines:
        request = json.loads(lines.readline())
    same = request["surroundings"] == surroundings
    connection.send(ACCEPTED if same else REFUSED)
    process = get_context("fork").Process(
        target=_run, args=(request, handles, (connection, listener), os.getpid(), command)
    )
    if same and connection.recv(1) == GO:  # else the command has been killed meanwhile
        process.start()
    for one in handles:
        os.close(one)
    if process.pid is None:
        return
    ended = os.pidfd_open(process.pid)
    while ended not in (ready := wait([connection, listener, until, ended])):
        numbers = b""
        with suppress(OSError):
            numbers = connection.recv(16) if connection in ready else b""
        for number in numbers:
            os.kill(process.pid, number)
        if until in ready or (connection in ready and not numbers):  # DVC or the command was killed
            _stop(process.pid, ended)
        elif listener in ready:
            with listener.accept()[0] as other:
                other.send(REFUSED)
    os.close(ended)
    process.join()
    code = process.exitcode or 0
    connection.send(bytes([code, 0] if code >= 0 else [1, -code]))


def _stop(pid: int, ended: int) -> None:
    """Stop a process gracefully, or after ``GRACE_S`` with all that it started."""
    os.kill(pid, signal.SIGTERM)
    if not wait([ended], GRACE_S):
        os.killpg(pid, signal.SIGKILL)
        wait([ended])


def _run(
    request: dict[str, Any], handles: list[int], inherited: Sequence[socket.socket], parent: int, command: Command
) -> None:
    """Run a request as if the process that asked had."""
    global _forked
    _forked = True
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: when the process that forked this one dies
    if os.getppid() != parent:
        sys.exit(1)
    for one in inherited:
        one.close()
    for target, handle in enumerate(handles):
        os.dup2(handle, target)
        os.close(handle)
    os.chdir(request["folder"])
    os.environ[DVC_STAGE] = request["stage"]
    sys.argv = ["bench", *request["arguments"]]
    atexit._clear()
    try:
        command(request["arguments"])
    finally:
        atexit._run_exitfuncs()  # of the command; multiprocessing leaves them out
