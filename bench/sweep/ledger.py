"""The ledger of attempts: a folder per cell with numbered files. Safe on a shared file system, needs no server.

``<cell>/NNN.claim`` names the owner of attempt N: the process that created the file, by a hard link, which is atomic on
NFS too. Attempt N + 1 can be claimed only after attempt N has ended. ``NNN.end`` holds the final state, ``NNN.log`` the
output, ``NNN.child`` the computing process, ``NNN.job`` the Slurm job; ``NNN.recorded`` exists once DVC has it.
"""

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import uuid4

import psutil

from bench.errors import UserError
from bench.formats import files

LEASE_S = 600
"""An owner on another host without a heartbeat for so long is considered dead; there is one every 30 seconds."""

_HINT = "make sure that no sweep runs this cell, then delete that folder: this loses only logs and attempt history"

State = Literal["running", "done", "failed", "interrupted", "lost"]


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


@dataclass(frozen=True)
class Attempt:
    """One attempt to run a cell.

    Attributes:
        folder: folder of the cell.
        number: from 1; 0 before the first attempt.
        fingerprint: fingerprint of the cell when it was claimed.
        state: "running", "done", "failed" (needs a fix), "interrupted" (stopped gracefully) or "lost" (owner died).
        why: reason for the final state.
        seconds: duration.
        recorded: whether it is recorded with DVC.
        job: id of its Slurm job, or "".
    """

    folder: Path
    number: int
    fingerprint: str = ""
    state: State = "lost"
    why: str = ""
    seconds: float = 0.0
    recorded: bool = False
    job: str = ""

    def path(self, suffix: str) -> Path:
        """Return the path of a file of this attempt, by suffix."""
        return self.folder / f"{self.number:03}.{suffix}"

    @property
    def log(self) -> Path:
        """Return the path of the log."""
        return self.path("log")


def last(ledger: Path, cell: str, jobs: frozenset[str] | None = frozenset()) -> Attempt:
    """Return the last attempt of a cell.

    Args:
        ledger: folder of all cells.
        cell: name of the cell in dvc.yaml.
        jobs: Slurm jobs that are queued or running; None if Slurm does not answer: all are assumed to run.
    """
    folder = ledger / cell
    numbers = [int(p.stem) for p in folder.glob("*.claim") if p.stem.isdecimal()]
    if not numbers:
        return Attempt(folder, 0)
    attempt = Attempt(folder, max(numbers))
    claim = _read(attempt, "claim", {"fingerprint": str, "owner": dict})
    job = attempt.path("job").read_text(encoding="utf-8").strip() if attempt.path("job").exists() else ""
    attempt = replace(attempt, fingerprint=claim["fingerprint"], recorded=attempt.path("recorded").exists(), job=job)
    owners = [_owner(claim["owner"], attempt.path("claim"))]
    if attempt.path("child").exists():
        owners.append(_owner(_read(attempt, "child", {}), attempt.path("child")))
    is_queued = bool(job) and (jobs is None or job in jobs)
    is_alive = is_queued or any(_is_alive(o, attempt.path("claim")) for o in owners)
    if attempt.path("end").exists():  # checked after the owner, who may have written it and exited meanwhile
        ended_attempt = _with_end(attempt)
        is_requeued = ended_attempt.state == "interrupted" and is_queued
        return replace(ended_attempt, state="running") if is_requeued else ended_attempt
    return replace(attempt, state="running" if is_alive else "lost")


def claim(after: Attempt, fingerprint: str) -> Attempt | None:
    """Claim the attempt that follows ``after`` and return it; None if another process was faster."""
    attempt = Attempt(after.folder, after.number + 1, fingerprint, "running")
    attempt.folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(files.with_checksum({"fingerprint": fingerprint, "owner": asdict(this_process())}))
    temporary = attempt.folder / f".{uuid4().hex}"
    temporary.write_text(text, encoding="utf-8")
    try:
        os.link(temporary, attempt.path("claim"))  # fails if it exists; open("x") is not atomic on every NFS
    except FileExistsError:
        return None
    finally:
        temporary.unlink()
    return attempt


def end(attempt: Attempt, state: State, why: str, seconds: float) -> Attempt:
    """Record the final state of an attempt unless one exists already; return the attempt with the recorded state."""
    if not attempt.path("end").exists():
        content = {"state": state, "why": why, "seconds": round(seconds, 2)}
        files.write_json(attempt.path("end"), files.with_checksum(content))
    return _with_end(attempt)


def ended(attempt: Attempt) -> State | None:
    """Return the final state of an attempt, or None if it has not ended."""
    return _with_end(attempt).state if attempt.path("end").exists() else None


def clear_end(attempt: Attempt) -> None:
    """Delete the final state of an interrupted attempt, because its job was requeued."""
    attempt.path("end").unlink(missing_ok=True)


def mark_job(attempt: Attempt, job: str) -> None:
    """Record the Slurm job of an attempt."""
    files.write_text(attempt.path("job"), job)


def mark_recorded(attempt: Attempt) -> None:
    """Record that an attempt is recorded with DVC."""
    attempt.path("recorded").touch()


def mark_child(attempt: Attempt) -> None:
    """Record that this process computes an attempt."""
    files.write_json(attempt.path("child"), files.with_checksum(asdict(this_process())))


def heartbeat(attempt: Attempt) -> None:
    """Show other hosts that the owner is alive."""
    os.utime(attempt.path("claim"))


def this_process() -> Owner:
    """Return this process."""
    return Owner(_host(), os.getpid(), _started(os.getpid()))


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
    return float(content.rpartition(")")[2].split()[19])


def _with_end(attempt: Attempt) -> Attempt:
    """Return an attempt with its recorded final state."""
    content = _read(attempt, "end", {"state": str, "why": str, "seconds": files.NUMBER})
    if content["state"] not in get_args(State):
        raise UserError(f"{attempt.path('end')}: unknown state {content['state']!r}: {_HINT}.")
    return replace(attempt, state=content["state"], why=content["why"], seconds=content["seconds"])


def _read(attempt: Attempt, suffix: str, kinds: Mapping[str, files.Kind]) -> dict[str, Any]:
    """Return the contents of a file of an attempt."""
    content: dict[str, Any] = files.read_object(attempt.path(suffix), kinds, _HINT)
    return content


def _owner(content: Mapping[str, Any], path: Path) -> Owner:
    """Return the process named in a file."""
    host, pid, started = (content.get(key) for key in ("host", "pid", "started"))
    if not (isinstance(host, str) and type(pid) is int and 0 < pid < 2**31 and isinstance(started, files.NUMBER)):
        raise UserError(f"{path} does not name a process: {_HINT}.")
    return Owner(host, pid, started)


def _is_alive(owner: Owner, claim_path: Path) -> bool:
    """Return whether a process runs: asked from the system on this host, judged by its heartbeat on others."""
    if owner.host == _host():
        try:
            return abs(_started(owner.pid) - owner.started) < 1
        except psutil.NoSuchProcess:
            return False
    now = claim_path.with_name(f".now.{uuid4().hex}")
    now.touch()  # in the clock of the file server, not of this host
    age = now.stat().st_mtime - claim_path.stat().st_mtime
    now.unlink()
    return age < LEASE_S


def tail(path: Path, lines: int = 15, bytes_read: int = 4096) -> list[str]:
    """Return the last lines of a log: the last state of a progress bar, and no lines of only ^^^."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - bytes_read))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    shown = (line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n"))
    return [line for line in shown if line.strip("^~")][-lines:]
